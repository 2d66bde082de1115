/**
 * Purpose: running transfers and idle connections go on, whole, after the path was lost: silent for less or for more
 * than the keepalive's time, gone with the agent's address, or unused while the agent's machine slept.
 */
import assert from "node:assert/strict";
import { startFaultOrigins } from "../support/faults/fault_origins.ts";
import { type FaultScene, withRelay } from "../support/faults/fault_scene.ts";
import { IdleConnections } from "../support/faults/idle_connections.ts";
import { assertOutlives } from "../support/faults/outliving.ts";
import { Pattern } from "../support/faults/pattern.ts";
import type { ChainOptions } from "../support/programs/chain.ts";
import type { Relay } from "../support/faults/relay.ts";

type Scene = FaultScene & { relay: Relay };

/** Milliseconds of silence; a connection is given up after 9 s. */
const SILENCES = Deno.env.get("LONG_FAULTS") === undefined
  ? [5_000, 12_000]
  : [5_000, 12_000, 20_000, 45_000];
/** 64 KiB each. */
const PARTS = 128;

const FAULTS: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  ...Object.fromEntries(SILENCES.map((ms) => [`${ms / 1_000} s of silence`, (scene) => silent(scene, ms)])),
  "another address": moved,
  "a sleep of the agent": asleep,
  "another address, with no room for a further connection": movedWithoutRoom,
};
/** Keys that differ from the defaults. */
const OPTIONS: Readonly<Record<string, ChainOptions>> = {
  "another address, with no room for a further connection": { server: { max_connections: 1 } },
};

// At the same time: most of it is waiting.
Deno.test("transfers and idle connections go on, whole, after the path was lost", async () => {
  const results = await Promise.allSettled(
    Object.entries(FAULTS).map(([what, fault]) => withRelay(OPTIONS[what] ?? {}, (scene) => fault(scene))),
  );
  const failures = Object.keys(FAULTS).flatMap((what, i) => {
    const result = results[i]!;
    return result.status === "rejected" ? [`after ${what}: ${result.reason?.stack ?? result.reason}`] : [];
  });
  assert.deepEqual(failures, []);
});

async function silent({ relay, ...scene }: Scene, ms: number): Promise<void> {
  const fault = async () => {
    relay.silence();
    await new Promise((resolve) => setTimeout(resolve, ms));
    relay.restore();
  };
  await assertOutlives(scene, { parts: PARTS, fault, mayRefuse: true });
}

/** The agent's connections are gone with its address, and the server hears nothing of it. */
async function moved({ relay, ...scene }: Scene): Promise<void> {
  const fault = () => {
    relay.localAddress = "127.0.0.2";
    relay.cutNear();
  };
  assert.equal(await assertOutlives(scene, { parts: PARTS, fault }), 1);
  const addresses = scene.chain.server.out.lines.map(({ fields }) => fields["from"] as string[]);
  const both = addresses.filter((from) => from.join() === "127.0.0.1,127.0.0.2");
  assert.ok(both.length > 0, "the audit has both addresses");
}

/** The old connection's place goes to the new one, once it has been silent: long before the server gives it up. */
async function movedWithoutRoom({ chain, relay, figure }: Scene): Promise<void> {
  await using origins = startFaultOrigins(new Pattern(PARTS));
  await using idle = await IdleConnections.open(chain, origins);
  const dials = relay.accepted;
  relay.cutNear();
  const { fields } = await chain.agent.log.waitFor("tunnel resumed");
  await idle.finish();
  figure("dials", relay.accepted - dials);
  figure("down_for_ms", Number(fields["down_for_ms"]));
  assert.ok(relay.accepted - dials < 30, `${relay.accepted - dials} dials`);
  assert.ok(Number(fields["down_for_ms"]) < 7_000, `${fields["down_for_ms"]} ms without a connection`);
}

/** The server gives the agent's connections up. */
async function asleep(scene: Scene): Promise<void> {
  const { agent, server } = scene.chain;
  const fault = async () => {
    agent.kill("SIGSTOP");
    try {
      await server.log.waitFor("agent lost its connection");
    } finally {
      agent.kill("SIGCONT");
    }
  };
  assert.equal(await assertOutlives(scene, { parts: PARTS, fault, mayRefuse: true }), 1);
}
