import type { FleetStatus } from "../../shared/cloud/fleet_status.ts";
import type { SallyportError } from "../../shared/errors.ts";
import type { Session } from "../../shared/mux/session.ts";
import type { DialledConnection } from "../../shared/tls/dial.ts";
import type { Identity } from "../../shared/tls/identity.ts";
import type { UpstreamProxy } from "../../shared/tls/upstream_proxy.ts";
import type { AgentConfig } from "../config.ts";

/** How a call of one of the cloud's functions ended. */
export type FleetAnswer =
  | { readonly kind: "answered"; readonly status: FleetStatus }
  | { readonly kind: "passing"; readonly error: SallyportError; readonly isUnanswered?: boolean }
  | { readonly kind: "lasting"; readonly error: SallyportError; readonly isUnaccepted?: boolean };

/** What an examination uses of the agent's other rooms. */
export interface Surroundings {
  /** @throws SallyportError `bad_request`, one line for each problem. */
  load(): Promise<AgentConfig>;
  /** State and proxy port of the agent whose console is at this port; undefined when there is none. */
  runningAgent(consolePort: number): Promise<{ state: string; proxyPort: number } | undefined>;
  proxyFor(config: AgentConfig, host: string, port: number): UpstreamProxy | undefined;
  /** Calls a function of the cloud, once. */
  callFleet(
    config: AgentConfig,
    identity: Identity,
    action: "wake" | "query",
    signal: AbortSignal,
  ): Promise<FleetAnswer>;
  /**
   * Begins a session and waits for the server's `hello`.
   * @throws SallyportError With the reason that the server gave, if it gave one.
   */
  openSession(socket: DialledConnection["socket"], signal: AbortSignal): Promise<Session>;
}
