import assert from "node:assert/strict";
import { requireUsableRules } from "./stack_parameters.ts";

const CA = "x".repeat(700);

for (
  const rules of [
    "",
    "cn:laptop-*,dns:*.corp.example",
    '[{"client":"cn:ci","targets":{"deny":["10.0.0.0/8"]}}]',
  ]
) {
  Deno.test(`a deployment accepts client rules: ${rules}`, () => {
    assert.doesNotThrow(() => requireUsableRules(rules, CA));
  });
}

const WRONG: Readonly<Record<string, [rules: string, reason: RegExp]>> = {
  "a pattern without a kind": ["laptop", /clients\.allow\.0: expected a client pattern/],
  "invalid JSON": ["[cn:laptop", /clients\.allow: expected a list of client patterns/],
  "a key that does not exist": [
    '[{"client":"cn:a","target":{}}]',
    /clients\.allow\.0\.target: expected one of the keys/,
  ],
  "more than a function has room for": [
    `cn:${"a".repeat(3_000)}`,
    /have 3003 bytes, and next to ca\.crt the functions have room for 2996/,
  ],
};
for (const [what, [rules, reason]] of Object.entries(WRONG)) {
  Deno.test(`a deployment refuses client rules with ${what}`, () => {
    assert.throws(() => requireUsableRules(rules, CA), reason);
  });
}

Deno.test("an empty list of clients is refused, since it allows everyone", () => {
  for (const rules of ["[]", " [ ] "]) {
    assert.throws(
      () => requireUsableRules(rules, ""),
      /allows every client of the CA; pass --clients-allow ""/,
    );
  }
  requireUsableRules("", "");
});
