import assert from "node:assert/strict";
import { eventually } from "../eventually.ts";
import type { Chain } from "../programs/chain.ts";
import type { FaultScene } from "./fault_scene.ts";
import { startFaultOrigins } from "./fault_origins.ts";
import { IdleConnections } from "./idle_connections.ts";
import { Pattern } from "./pattern.ts";
import { assertAllComplete, assertTargetsClosed, Traffic } from "./traffic.ts";

/** Milliseconds until the transfers have ended after the fault. */
const COMPLETE = 60_000;
/** Parts of the pattern of an idle connection: one before the fault, the others after it. */
const IDLE_PARTS = 4;

/** What {@linkcode assertOutlives} takes. */
interface OutlivesOptions {
  /** Parts of 64 KiB that each transfer moves. */
  readonly parts: number;
  /** The fault; small requests and all kinds of transfers are running. */
  readonly fault: (traffic: Traffic) => Promise<void> | void;
  /** Whether small requests may be refused during the fault, since they wait for 10 s only. @default false */
  readonly mayRefuse?: boolean;
}

/**
 * Asserts that transfers of all kinds, an idle tunnel and an idle WebSocket go on during and after a fault, whole.
 * Returns how often the agent had no connection left and continued with a new one.
 */
export async function assertOutlives(
  { chain, figure }: FaultScene,
  { parts, fault, mayRefuse = false }: OutlivesOptions,
): Promise<number> {
  await using origins = startFaultOrigins(new Pattern(parts));
  await using quiet = startFaultOrigins(new Pattern(IDLE_PARTS));
  await using idle = await IdleConnections.open(chain, quiet);
  await using traffic = new Traffic(chain, origins, 1);
  await traffic.flowing();
  const before = count(chain, "tunnel resumed");
  await fault(traffic);
  assert.ok(traffic.running > 0, "transfers are running when the fault is over");
  assertAllComplete(await traffic.results(COMPLETE), origins);
  await idle.finish();
  if (!mayRefuse) assert.deepEqual(traffic.refused, []);
  await assertTargetsClosed(origins);
  await assertTargetsClosed(quiet);
  await eventually("one session is left", () => {
    const ended = count(chain, "session lost") + count(chain, "replaced session ended");
    assert.equal(count(chain, "tunnel ready") - ended, 1);
  });
  const resumptions = count(chain, "tunnel resumed") - before;
  figure("resumptions", resumptions);
  return resumptions;
}

/** How often the agent has logged a message. */
function count({ agent }: Chain, message: string): number {
  return agent.log.lines.filter((line) => line.message === message).length;
}
