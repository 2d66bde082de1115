import assert from "node:assert/strict";
import { PROBLEMS } from "./problems.ts";
import { replaceAdvice } from "./local_steps.ts";
import { STEPS } from "./doctor.ts";

Deno.test("every problem has a unique exit code that no shell uses", () => {
  const codes = Object.values(PROBLEMS).map(({ exitCode }) => exitCode);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.ok(code >= 10 && code < 126, `${code}`);
});

Deno.test("advice gives commands in a form that can be typed, and the configured files", () => {
  const advice = Object.values(PROBLEMS).map((problem) => problem.advice).join("\n");
  assert.match(advice, /\(npx \S+ \S+ task -q certs issue\)/);
  assert.doesNotMatch(advice, /agent certs|\(certs /);
  assert.match(
    replaceAdvice({ cert: { file: "/a/laptop.crt" }, key: { pem: "" } }),
    /replace \/a\/laptop\.crt and SALLYPORT_KEY_PEM$/,
  );
});

Deno.test("docs/troubleshooting.md lists exactly the problems and their exit codes", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/troubleshooting.md", import.meta.url));
  const rows = [...text.matchAll(/^\| (\d+) +\| `(\w+)` +\|/gm)].map(([, code, name]) => `${code} ${name}`);
  assert.deepEqual(rows, Object.entries(PROBLEMS).map(([name, { exitCode }]) => `${exitCode} ${name}`));
});

Deno.test("every step needs only earlier steps", () => {
  const before: string[] = [];
  for (const { name, needs } of STEPS) {
    for (const needed of needs) assert.ok(before.includes(needed), `${name} needs ${needed}`);
    before.push(name);
  }
});
