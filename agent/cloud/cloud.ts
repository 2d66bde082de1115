import { getLogger } from "../../shared/log.ts";
import type { IdentityStore } from "../../shared/pki/identity/identity_store.ts";
import { systemClock } from "../../shared/system_clock.ts";
import type { CloudConfig } from "../config/config.ts";
import type { UpstreamProxy } from "../upstream/upstream_proxy.ts";
import { FleetClient } from "./fleet_client.ts";
import { Locator, type LocatorState } from "./locator.ts";
import type { ServerAddress, Servers } from "./servers.ts";
import { stopUnusedFleet } from "./stop_fleet.ts";

/** Milliseconds for Query and Kill at exit: both may need a cold start and several calls to AWS. */
const KILL_TIMEOUT = 12_000;

/** What {@linkcode createCloud} needs. */
export interface CloudInit {
  readonly identities: Pick<IdentityStore, "current">;
  /** Receives the addresses of the servers. */
  readonly servers: Servers;
  /** The proxy for an address; undefined if it is reached directly. */
  via(host: string, port: number): UpstreamProxy | undefined;
}

/** Finds, wakes and stops servers that are asleep while unused. */
export interface Cloud {
  /** See {@linkcode Locator.locate}. */
  locate(isWanted: () => boolean, signal: AbortSignal): Promise<boolean>;
  /** For display. */
  readonly locatorState: LocatorState;
  /** Stops the servers if no other agent uses them and `kill_on_exit` is set; within 12 s. */
  leave(countAgents: (server: ServerAddress, signal: AbortSignal) => Promise<number>): Promise<void>;
}

/** Creates the client of the cloud functions and what uses it. */
export function createCloud(
  { endpoints, killOnExit, wakeTimeout }: CloudConfig,
  { identities, servers, via }: CloudInit,
): Cloud {
  const log = getLogger("cloud");
  const client = new FleetClient({ endpoints, identity: () => identities.current, clock: systemClock, via });
  const locator = new Locator({ client, servers, clock: systemClock, log, wakeTimeout });
  return {
    locate: (isWanted, signal) => locator.locate(isWanted, signal),
    get locatorState() {
      return locator.state;
    },
    async leave(countAgents) {
      if (!killOnExit || !client.canKill) return;
      const deadline = new AbortController();
      const cancel = systemClock.after(KILL_TIMEOUT, () => deadline.abort(new Error("timed out")));
      await stopUnusedFleet({ client, log, servers: servers.all, countAgents }, deadline.signal);
      cancel();
    },
  };
}
