import assert from "node:assert/strict";
import { overlapping, scriptLists, type ScriptRule } from "./script_rules.ts";
import { Routes } from "./routes.ts";

/** Entries as in the script. */
function rulesOf(entries: readonly string[]): ScriptRule[] {
  return scriptLists(new Routes({ bypass: entries, block: [] })).bypass;
}

Deno.test("overlapping returns only the rules that may overlap with others", () => {
  const cases = [
    ["wiki.example", "wiki.example", true],
    ["wiki.example", "wiki.example:80", true],
    ["wiki.example", "xwiki.example", false],
    ["wiki.example", "*.example", true],
    ["example", "*.example", false],
    ["a.example.org", "*.example", false],
    ["*.corp.example", "*.example", true],
    ["*.corp.example", "*.corp.example", true],
    ["*.corp.example", "*.xcorp.example", false],
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "11.0.0.0/8", false],
    ["0.0.0.0/0", "10.1.2.3", true],
    ["fd00::/8", "fd12::1", true],
    ["fd00::/8", "fe00::/8", false],
    ["wiki.example", "0.0.0.0/0", false],
    ["*.example", "::/0", false],
  ] as const;
  for (const [one, other, expected] of cases) {
    for (const [a, b] of [[one, other], [other, one]] as const) {
      assert.equal(overlapping(rulesOf([a]), rulesOf([b])).length === 1, expected, `${a} and ${b}`);
    }
  }
});

Deno.test("overlapping returns every IPv4 rule if there is an IPv6 rule, which may embed it", () => {
  const rules = rulesOf(["10.0.0.0/8", "fd00::1", "a.example"]);
  assert.deepEqual(overlapping(rules, rulesOf(["2001::/32"])), rules.slice(0, 1));
});
