import type { FleetStatus } from "../../shared/cloud/fleet_status.ts";
import type { SallyportError } from "../../shared/errors.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import type { Identity } from "../../shared/pki/identity/identity.ts";
import type { DialledConnection } from "../../shared/tls/dial.ts";
import type { AgentConfig } from "../config/config.ts";
import type { UpstreamProxy } from "../upstream/upstream_proxy.ts";

/** The default control site: reserved for examples (RFC 2606), run by IANA, reachable over plain HTTP. */
export const CONTROL_SITE = new URL("http://example.com/");

/** Options of `agent doctor`. */
export interface DoctorOptions {
  /** A public `http:` site that shows whether this network reaches the internet, and what time it is. */
  readonly control: URL;
  /** The `http:` page to fetch through the tunnel. */
  readonly page: URL;
  /** Milliseconds for each network operation. */
  readonly timeoutMs: number;
  /** Whether to wake a server that is asleep. */
  readonly wake: boolean;
}

/** The answer of one of the cloud functions. */
export type FleetAnswer =
  | { readonly kind: "answered"; readonly status: FleetStatus }
  | { readonly kind: "retryable"; readonly error: SallyportError; readonly isUnreachable?: boolean }
  | { readonly kind: "permanent"; readonly error: SallyportError; readonly isUnauthorized?: boolean };

/** An agent that runs on this machine. */
export interface RunningAgent {
  /** State of its tunnel. */
  readonly state: string;
  /** Where its proxy listens. */
  readonly proxy: { readonly host: string; readonly port: number };
  readonly links: ShownLinks;
}

/** Links of one session or several, as `agent status` shows them. */
export interface ShownLinks {
  /** A line of text for each session that has links. */
  readonly lines: readonly string[];
  /** The links for the report as JSON. */
  readonly json: unknown;
}

/** What doctor uses of the agent's other parts. */
export interface DoctorContext {
  /** @throws SallyportError `bad_request`, one line for each problem. */
  load(): Promise<AgentConfig>;
  /** Asks the console at this port of 127.0.0.1; undefined if no agent answers. */
  runningAgent(consolePort: number): Promise<RunningAgent | undefined>;
  /** Whether an agent's proxy listens at this address. */
  isAgentProxy(host: string, port: number): Promise<boolean>;
  proxyFor(config: AgentConfig, host: string, port: number): UpstreamProxy | undefined;
  /** Calls a cloud function once. */
  callFleet(
    config: AgentConfig,
    identity: Identity,
    action: "wake" | "query",
    signal: AbortSignal,
  ): Promise<FleetAnswer>;
  /**
   * Starts a session and waits for the server's `hello`.
   * @throws SallyportError With the server's reason, if it gave one.
   */
  openSession(socket: DialledConnection["socket"], signal: AbortSignal): Promise<Session>;
  /** The links of a session as they are now. */
  linksOf(session: Session): ShownLinks;
}
