import assert from "node:assert/strict";
import { z } from "zod";
import { entryList } from "./entry_list.ts";

const field = entryList<{ name: string; size?: number | undefined }>({
  expected: "a list of things",
  expectedAt: (below) => `something at ${below.join("/")}`,
  text: z.string().min(1).transform((name) => ({ name })),
  mapping: z.strictObject({ name: z.string(), size: z.number().optional() }),
});

/** The places of what is wrong, with slashes. */
function faults(written: unknown): string[] {
  const { error } = field.schema.safeParse(written);
  return error?.issues.map(({ path }) => path.join("/")) ?? [];
}

Deno.test("entryList takes texts and mappings", () => {
  const written = ["a", { name: "b", size: 2 }];
  assert.deepEqual(field.schema.parse(written), [{ name: "a" }, { name: "b", size: 2 }]);
  assert.deepEqual(field.schema.parse(field.fallback), []);
});

Deno.test("entryList tells where something is wrong, and of every unknown key", () => {
  assert.deepEqual(faults(["a", ""]), ["1"]);
  assert.deepEqual(faults([7, null, []]), ["0", "1", "2"]);
  assert.deepEqual(faults([{ name: 7, size: "x" }]), ["0/name", "0/size"]);
  assert.deepEqual(faults([{ name: "a", x: 1, y: 2 }]), ["0/x", "0/y"]);
  assert.deepEqual(faults("a"), [""]);
  assert.deepEqual(faults(JSON.parse('[{"name":"a","__proto__":1}]')), ["0/__proto__"]);
});

Deno.test("entryList reads texts with commas between them, and JSON", () => {
  assert.deepEqual(field.fromText(" a, b,c "), ["a", "b", "c"]);
  assert.deepEqual(field.fromText(""), []);
  assert.deepEqual(field.fromText(' [{"name":"a,b"}, "c"]'), [{ name: "a,b" }, "c"]);
  assert.equal(field.fromText("[a"), "[a");
});
