import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parseTask } from "./task_command.ts";

Deno.test("parseTask keeps flags in order and makes the module's path absolute", () => {
  const task = parseTask("agent", `deno run --allow-net  "--allow-env=A B" agent/main.ts run '--x=1 2'`);
  assert.deepEqual(task.flags, ["run", "--allow-net", "--allow-env=A B"]);
  assert.equal(task.module, fileURLToPath(new URL("../../agent/main.ts", import.meta.url)));
  assert.deepEqual(task.args, ["run", "--x=1 2"]);
});

Deno.test("parseTask refuses a task that does not start exactly one program", () => {
  assert.throws(() => parseTask("check", "deno fmt --check && deno lint"), /Cannot start "check"/);
  assert.throws(() => parseTask("agent", "node agent/main.ts"), /Cannot start "agent"/);
  assert.throws(() => parseTask("agent", "deno run --allow-net"), /Cannot start "agent"/);
});
