import assert from "node:assert/strict";
import fc from "fast-check";
import { parseAddress } from "./address.ts";
import type { TargetRule } from "./rule.ts";
import { RuleList } from "./rule_list.ts";

const LABEL = fc.constantFrom("a", "b-1");
const NAME = fc.array(LABEL, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
const PORT = fc.constantFrom(80, 443, 8080);
const ENTRY = fc.tuple(fc.constantFrom("", "*."), NAME, fc.option(PORT)).map(
  ([wild, name, port]) => wild + name + (port === null ? "" : `:${port}`),
);
const ADDRESS = fc.constantFrom(
  "10.0.0.0/8",
  "10.1.2.3",
  "10.1.2.3:80",
  "::1",
  "[fd00::/8]:443",
  "10.0.0.0/9",
);

/** The rule that a list has to find, by linear search. */
function linear(rules: readonly TargetRule[], name: string, port: number): TargetRule | undefined {
  return rules.find(({ covers, port: only }) => {
    if (only !== undefined && only !== port) return false;
    if (covers.kind === "below") return name.endsWith(`.${covers.name}`);
    return covers.kind === "name" && covers.name === name;
  });
}

Deno.test("a rule list finds the same rule for a name as a linear search", () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(ENTRY, ADDRESS), { minLength: 3, maxLength: 12 }),
      NAME,
      PORT,
      (entries, name, port) => {
        const list = new RuleList(entries, "block");
        const expected = linear(list.rules, name, port);
        if (expected !== undefined) found++;
        for (const written of [name, `${name.toUpperCase()}.`]) {
          assert.equal(list.byName(written, port)?.key, expected?.key, `${written}:${port} in ${entries}`);
        }
      },
    ),
    { numRuns: 5_000 },
  );
  assert.ok(found > 400, `${found} of them are covered`);
});

Deno.test("a rule list finds the first rule for an address, whatever names are in between", () => {
  const list = new RuleList(["a.example", "10.1.0.0/16:80", "*.example", "10.0.0.0/8", "10.1.2.3"], "block");
  const of = (address: string, port: number) => list.byAddress([parseAddress(address)], port)?.key;
  assert.deepEqual([of("10.1.2.3", 80), of("10.1.2.3", 81), of("11.0.0.1", 80)], [
    ...["block[1]", "block[3]", undefined],
  ]);
});

/** Milliseconds that lookups take in a list of `size` names, the least of several runs. */
function costOf(size: number): number {
  const entries = Array.from({ length: size }, (_, i) => `${i % 2 ? "*." : ""}n${i}.example`);
  const list = new RuleList(entries, "block");
  const tries = Array.from({ length: 5 }, () => {
    const start = performance.now();
    for (let i = 0; i < 500; i++) assert.equal(list.byName(`a${i}.other.test`, 80), undefined);
    return performance.now() - start;
  });
  return Math.min(...tries);
}

Deno.test("a lookup costs about the same in a list of ten and of thirty thousand names", () => {
  const [few, many] = [costOf(10), costOf(30_000)];
  // A linear search would take about a thousand times as long.
  assert.ok(many < 50 * few, `${many} ms against ${few} ms`);
});
