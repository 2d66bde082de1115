import { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { FleetClient } from "./fleet_client.ts";
import type { ServerAddress } from "./servers.ts";

/** What {@linkcode stopUnusedFleet} needs. */
export interface StopFleetInit {
  readonly client: Pick<FleetClient, "call" | "canQuery">;
  readonly log: Pick<Logger, "info" | "warn">;
  /** The last known servers. */
  readonly servers: readonly ServerAddress[];
  /** Asks a server how many agents are connected, this one included. */
  countAgents(server: ServerAddress, signal: AbortSignal): Promise<number>;
}

/**
 * Stops the servers if this agent is the last one connected. Asks every server; in doubt the servers are left running,
 * since Sleep stops them later. Never rejects.
 *
 * @param signal Aborts the queries; the servers are left running then.
 */
export async function stopUnusedFleet(init: StopFleetInit, signal: AbortSignal): Promise<void> {
  const { client, log } = init;
  try {
    const reason = await reasonToKeep(init, signal);
    if (reason !== undefined) return log.info("server left running", { reason });
    const result = await client.call("kill", signal);
    if (result.kind === "answered") return log.info("server stopped, no other agent is connected");
    if (result.kind === "permanent" && result.isInUse) {
      return log.info("server left running", { reason: result.error.message });
    }
    log.warn("cannot stop the server", { error: result.error.message });
  } catch (error) {
    const message = signal.aborted ? "timed out" : SallyportError.from(error).message;
    log.warn("server left running", { error: message });
  }
}

/** Why the servers must not be stopped; undefined if they may. */
async function reasonToKeep(
  { client, servers: known, countAgents }: StopFleetInit,
  signal: AbortSignal,
): Promise<string | undefined> {
  let servers = known;
  if (client.canQuery) {
    const result = await client.call("query", signal);
    if (result.kind !== "answered") return result.error.message;
    const { state } = result.status;
    if (state === "stopped") return "it is already stopped";
    if (state === "starting") return "it is starting, and other agents may wait for it";
    servers = result.status.servers.map(({ ip, port }) => ({ host: ip, port }));
  }
  if (servers.length === 0) return "its address is not known";
  const counts = await Promise.all(servers.map((server) => countAgents(server, signal)));
  signal.throwIfAborted();
  const others = counts.reduce((sum, count) => sum + count - 1, 0);
  return others > 0 ? `other agents connected: ${others}` : undefined;
}
