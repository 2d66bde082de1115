import assert from "node:assert/strict";
import { z } from "zod";
import { entryList } from "./entry_list.ts";

const field = entryList<{ name: string; size?: number | undefined }>({
  expected: "a list of things",
  expectedAt: (below) => `something at ${below.join("/")}`,
  keysAt: () => ["name", "size"],
  text: z.string().min(1).transform((name) => ({ name })),
  mapping: z.strictObject({ name: z.string(), size: z.number().optional() }),
});

/** The paths of the problems, with slashes. */
function problems(written: unknown): string[] {
  const { error } = field.schema.safeParse(written);
  return error?.issues.map(({ path }) => path.join("/")) ?? [];
}

Deno.test("entryList accepts texts and mappings", () => {
  const written = ["a", { name: "b", size: 2 }];
  assert.deepEqual(field.schema.parse(written), [{ name: "a" }, { name: "b", size: 2 }]);
  assert.deepEqual(field.schema.parse(field.fallback), []);
});

Deno.test("entryList reports the path of every problem and unknown key", () => {
  assert.deepEqual(problems(["a", ""]), ["1"]);
  assert.deepEqual(problems([7, null, []]), ["0", "1", "2"]);
  assert.deepEqual(problems([{ name: 7, size: "x" }]), ["0/name", "0/size"]);
  assert.deepEqual(problems([{ name: "a", x: 1, y: 2 }]), ["0/x", "0/y"]);
  assert.deepEqual(problems("a"), [""]);
  assert.deepEqual(problems(JSON.parse('[{"name":"a","__proto__":1}]')), ["0/__proto__"]);
});

Deno.test("entryList suggests the nearest key for an unknown one", () => {
  assert.equal(field.hint?.(1, [0, "nam"]), "did you mean name?");
  assert.equal(field.hint?.(1, [0, "colour"]), undefined);
  assert.equal(field.hint?.(7, [0, "name"]), undefined);
  assert.equal(field.hint?.(7, [0]), undefined);
});

Deno.test("entryList shows how to write a single value as a list", () => {
  assert.equal(field.hint?.("a", []), 'write it as a list: ["a"]');
});

Deno.test("entryList reads comma-separated texts and JSON", () => {
  assert.deepEqual(field.fromText(" a, b,c "), ["a", "b", "c"]);
  assert.deepEqual(field.fromText(""), []);
  assert.deepEqual(field.fromText(' [{"name":"a,b"}, "c"]'), [{ name: "a,b" }, "c"]);
  assert.equal(field.fromText("[a"), "[a");
});
