import assert from "node:assert/strict";
import { PROBLEMS } from "./problems.ts";
import { STEPS } from "./steps/all.ts";

Deno.test("every problem has an exit code of its own, which no shell uses", () => {
  const codes = Object.values(PROBLEMS).map(({ exitCode }) => exitCode);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.ok(code >= 10 && code < 126, `${code}`);
});

Deno.test("the documents have every problem with its exit code, and no other", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/troubleshooting.md", import.meta.url));
  const rows = [...text.matchAll(/^\| (\d+) +\| `(\w+)` +\|/gm)].map(([, code, name]) => `${code} ${name}`);
  assert.deepEqual(rows, Object.entries(PROBLEMS).map(([name, { exitCode }]) => `${exitCode} ${name}`));
});

Deno.test("every step needs only steps before it", () => {
  const before: string[] = [];
  for (const { name, needs } of STEPS) {
    for (const needed of needs) assert.ok(before.includes(needed), `${name} needs ${needed}`);
    before.push(name);
  }
});
