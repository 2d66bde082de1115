import assert from "node:assert/strict";
import { requireUsableRules } from "./client_rules.ts";

const CA = "x".repeat(700);

for (
  const rules of [
    "",
    "cn:laptop-*,dns:*.corp.example",
    '[{"client":"cn:ci","targets":{"deny":["10.0.0.0/8"]}}]',
  ]
) {
  Deno.test(`client rules that a deployment takes: ${rules}`, () => {
    assert.doesNotThrow(() => requireUsableRules(rules, CA));
  });
}

const WRONG: Readonly<Record<string, [rules: string, reason: RegExp]>> = {
  "a pattern of no kind": ["laptop", /clients\.allow\.0: expected a pattern of clients/],
  "no JSON": ["[cn:laptop", /clients\.allow: expected a list of patterns/],
  "a key that does not exist": [
    '[{"client":"cn:a","target":{}}]',
    /clients\.allow\.0\.target: expected one of the keys/,
  ],
  "more than a function has room for": [
    `cn:${"a".repeat(3_000)}`,
    /have 3003 bytes, and beside ca\.crt the functions have room for 2996/,
  ],
};
for (const [what, [rules, reason]] of Object.entries(WRONG)) {
  Deno.test(`a deployment refuses client rules with ${what}`, () => {
    assert.throws(() => requireUsableRules(rules, CA), reason);
  });
}

Deno.test("a list of clients without an entry is refused, since it lets in everybody", () => {
  for (const rules of ["[]", " [ ] "]) {
    assert.throws(
      () => requireUsableRules(rules, ""),
      /lets in every client of the CA; say --clients-allow ""/,
    );
  }
  requireUsableRules("", "");
});
