/**
 * Purpose: replacing the certificates of both programs under load, from one CA to another and back, interrupts no
 * transfer and no request, and the next connection uses the new ones.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/programs/chain.ts";
import { replaceFile } from "../support/programs/chain_authority.ts";
import { eventually } from "../support/eventually.ts";
import { startFaultOrigins } from "../support/faults/fault_origins.ts";
import { withFault } from "../support/faults/fault_scene.ts";
import { Pattern } from "../support/faults/pattern.ts";
import { assertAllComplete, Traffic } from "../support/faults/traffic.ts";
import { agentStatus } from "../support/programs/status.ts";

const RELOADED = "certificates reloaded";
const NAMES = ["server.crt", "server.key", "client.crt", "client.key"];

type Files = Readonly<Record<string, string>>;

Deno.test("replacing certificates under load interrupts nothing", async () => {
  await withFault({}, async ({ chain, figure }) => {
    await using other = await Chain.prepare();
    const [old, next] = [await filesOf(chain), await filesOf(other)];
    await replaceFiles(chain, { "ca.crt": old["ca.crt"]! + next["ca.crt"]! });
    await using origins = startFaultOrigins(new Pattern(1_024));
    for (const files of [next, old, next]) {
      await using traffic = new Traffic(chain, origins);
      await traffic.flowing();
      const began = performance.now();
      await replaceFiles(chain, Object.fromEntries(NAMES.map((name) => [name, files[name]!])));
      figure("ms for a replacement", Math.round(performance.now() - began));
      assertAllComplete(await traffic.results(), origins);
      assert.deepEqual(traffic.refused, []);
    }
    const left = chain.server.log.lines.filter(({ message }) =>
      /^agent (disconnected|cut off)$/.test(message)
    );
    assert.deepEqual(left, [], "the agent's connection stayed open");
    // The next connection uses the new certificates on both sides.
    await chain.agent.stop();
    await chain.startAgent();
    await eventually("the agent is connected", async () => {
      assert.equal((await agentStatus(chain)).state, "ready");
    });
  });
});

async function filesOf(chain: Chain): Promise<Files> {
  const names = ["ca.crt", ...NAMES];
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(`${chain.dir}/certs/${name}`)));
  return Object.fromEntries(names.map((name, i) => [name, texts[i]!]));
}

/** Replaces files and waits until both programs have reloaded theirs. */
async function replaceFiles(chain: Chain, files: Files): Promise<void> {
  const programs = [chain.agent, chain.server];
  const before = programs.map(({ log }) => log.lines.length);
  for (const [name, text] of Object.entries(files)) await replaceFile(chain, name, text);
  await Promise.all(programs.map(({ log }, i) => log.waitFor(RELOADED, before[i]!)));
}
