import assert from "node:assert/strict";
import { anchorsOf, commandsOf, linksOf, markdownTable, pathsOf } from "./markdown.ts";

const TEXT = `# The \`first\` one

[a](b.md#c), [\`d\`](e.md) and [f][g], not \`[h](i.md)\`, in \`shared/mux\` and \`shared x/y\`.

[g]: j.md#k

## Same

## Same

   \`\`\`sh
   # [not](a.md) a heading
   curl one \\
     two   # why
   \`\`\`
`;

Deno.test("linksOf finds inline links and link definitions outside of code", () => {
  assert.deepEqual(linksOf(TEXT), ["b.md#c", "e.md", "j.md#k"]);
});

Deno.test("anchorsOf makes anchors as GitHub does, each once", () => {
  assert.deepEqual([...anchorsOf(TEXT)], ["the-first-one", "same", "same-1"]);
});

Deno.test("pathsOf finds paths of the project in code marks", () => {
  assert.deepEqual(pathsOf(TEXT), ["shared/mux"]);
});

Deno.test("commandsOf joins continued lines and leaves comments out", () => {
  assert.deepEqual(commandsOf(TEXT), ["curl one two"]);
});

Deno.test("markdownTable aligns its columns and escapes bars", () => {
  assert.equal(markdownTable(["a", "b"], [["1|2", "x"]]), "| a    | b |\n| ---- | - |\n| 1\\|2 | x |\n");
});
