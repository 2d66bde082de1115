import { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { FleetClient } from "./fleet_client.ts";
import type { ServerAddress } from "./servers.ts";

/** What {@linkcode lastOneOut} needs. */
export interface LastOneOut {
  readonly client: Pick<FleetClient, "call" | "canQuery">;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Where the servers were when somebody last looked. */
  readonly servers: readonly ServerAddress[];
  /** Asks a server how many agents it serves, this one among them. */
  countAgents(server: ServerAddress, signal: AbortSignal): Promise<number>;
}

/**
 * Stops the servers when this agent is the last one that uses them. Every server is asked; whatever is not certain
 * leaves them running, since Sleep stops them anyway. Never rejects.
 *
 * @param signal When it aborts nothing is certain any more.
 */
export async function lastOneOut(init: LastOneOut, signal: AbortSignal): Promise<void> {
  const { client, log } = init;
  try {
    const why = await reasonToStay(init, signal);
    if (why !== undefined) return log.info("the server is left running", { reason: why });
    const outcome = await client.call("kill", signal);
    if (outcome.kind === "answered") return log.info("the server is stopped: no other agent uses it");
    if (outcome.kind === "lasting" && outcome.isInUse) {
      return log.info("the server is left running", { reason: outcome.error.message });
    }
    log.warn("the server is not stopped", { reason: outcome.error.message });
  } catch (error) {
    const reason = signal.aborted ? "finding out took too long" : SallyportError.from(error).message;
    log.warn("the server is left running", { reason });
  }
}

/** Why servers must not be stopped; undefined when they may. */
async function reasonToStay(
  { client, servers: known, countAgents }: LastOneOut,
  signal: AbortSignal,
): Promise<string | undefined> {
  let servers = known;
  if (client.canQuery) {
    const outcome = await client.call("query", signal);
    if (outcome.kind !== "answered") return outcome.error.message;
    const { state } = outcome.status;
    if (state === "stopped") return "it is stopped already";
    if (state === "starting") return "it is starting, and others may wait for it";
    servers = outcome.status.servers.map(({ ip, port }) => ({ host: ip, port }));
  }
  if (servers.length === 0) return "nobody knows where it is";
  const counts = await Promise.all(servers.map((server) => countAgents(server, signal)));
  signal.throwIfAborted();
  const others = counts.reduce((sum, count) => sum + count - 1, 0);
  return others > 0 ? `other agents use it: ${others}` : undefined;
}
