/**
 * Purpose: on a path that loses packets, transfers of all kinds arrive whole and in order, and the session spreads them
 * over several connections.
 */
import assert from "node:assert/strict";
import { NO_NODE_MODULES } from "../../scripts/process/task_command.ts";
import { explain, terminal } from "../../shared/cli/terminal.ts";
import { countUsed, type LossyPlan, type LossyReport } from "../support/faults/lossy_transfers.ts";
import { namespacesPath } from "../support/paths/namespaces.ts";
import type { TestPath } from "../support/paths/test_path.ts";
import { whyMissing } from "../support/tools.ts";

const SHAPE = { delayMs: 10, mbit: 200, loss: 0.015, queueBytes: 1 << 20 };
const PARTS = 48;
const SCRIPT = import.meta.resolve("../support/faults/lossy_transfers.ts");

/** Why this machine cannot have such a path; undefined when it can. */
async function whyNoPath(): Promise<string | undefined> {
  const missing = await whyMissing("ss", "-V");
  if (missing !== undefined) return missing;
  try {
    await (await namespacesPath(SHAPE))[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return explain(error);
  }
}

async function runAtNearEnd(path: TestPath): Promise<LossyReport> {
  const plan: LossyPlan = { far: path.far, farHost: path.farHost, parts: PARTS };
  const permissions = ["read", "write", "net", "env", "run", "sys"].map((name) => `--allow-${name}`);
  const script = ["run", NO_NODE_MODULES, "--no-prompt", ...permissions, SCRIPT, JSON.stringify(plan)];
  const [command, ...args] = [...path.near, Deno.execPath(), ...script];
  const { success, stdout, stderr } = await new Deno.Command(command!, { args, stdin: "null" }).output();
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, `${out}\n${errors}`);
  return JSON.parse(out!);
}

const missing = await whyNoPath();

Deno.test({
  name: `transfers over a path that loses 1.5 % of packets are whole, by several connections${
    missing === undefined ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== undefined,
  async fn() {
    await using path = await namespacesPath(SHAPE);
    const { errors, seconds, links, agent, server } = await runAtNearEnd(path);
    terminal.out(`${seconds.toFixed(1)} s; bytes by connection: ${links.join(", ")}\n`);
    assert.deepEqual(Object.entries(errors).filter(([, error]) => error !== null), []);
    assert.equal(Object.keys(errors).length, 5);
    const used = countUsed(links);
    assert.ok(used >= 3, `${used} of ${links.length} connections were used`);
    assert.deepEqual({ agent, server }, { agent: 0, server: 0 });
  },
});
