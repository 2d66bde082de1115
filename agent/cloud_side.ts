import { systemClock } from "../shared/system_clock.ts";
import { getLogger } from "../shared/log.ts";
import type { IdentityStore } from "../shared/tls/identity_store.ts";
import { FleetClient } from "./cloud/fleet_client.ts";
import { lastOneOut } from "./cloud/last_one_out.ts";
import { Locator, type Whereabouts } from "./cloud/locator.ts";
import type { ServerAddress, Servers } from "./cloud/servers.ts";
import type { UpstreamProxy } from "../shared/tls/upstream_proxy.ts";
import type { CloudConfig } from "./config.ts";
import type { Locate } from "./tunnel/tunnel_init.ts";

/**
 * Milliseconds that the decision to stop the server, and stopping it, may hold up the agent's end: two functions one
 * after the other, both of which may start cold and ask AWS several things.
 */
const KILL_TIMEOUT = 12_000;

/** The agent's side of a server that sleeps until it is needed. */
export interface CloudSide {
  readonly locate: Locate;
  /** For people. */
  whereabouts(): Whereabouts;
  /** Stops the server if this agent is the last one and the configuration wants it; within 12 s. */
  leave(countAgents: (server: ServerAddress, signal: AbortSignal) => Promise<number>): Promise<void>;
}

/** Sets up what finds, wakes and stops the server; `servers` learns where it is. */
export function openCloudSide(
  { endpoints, killOnExit, wakeTimeout }: CloudConfig,
  identities: Pick<IdentityStore, "current">,
  servers: Servers,
  via: (host: string, port: number) => UpstreamProxy | undefined,
): CloudSide {
  const log = getLogger("cloud");
  const client = new FleetClient({ endpoints, identity: () => identities.current, clock: systemClock, via });
  const locator = new Locator({ client, servers, clock: systemClock, log, wakeTimeout });
  return {
    locate: (isWanted, signal) => locator.locate(isWanted, signal),
    whereabouts: () => locator.whereabouts,
    async leave(countAgents) {
      if (!killOnExit || !client.canKill) return;
      const deadline = new AbortController();
      const cancel = systemClock.after(KILL_TIMEOUT, () => deadline.abort(new Error("it takes too long")));
      await lastOneOut({ client, log, servers: servers.all, countAgents }, deadline.signal);
      cancel();
    },
  };
}
