import assert from "node:assert/strict";
import { shellWord, singleQuoted } from "./shell_words.ts";

Deno.test("shellWord quotes only what a shell would change", () => {
  for (const word of ["/etc/agent.yaml", "a@b:c,d=1%+_-.", "x"]) assert.equal(shellWord(word, "linux"), word);
  for (const word of ["", "a b", "$x", "~/a", "a*", "a;b", "a&b", "#a", "ä", "a\nb"]) {
    assert.equal(shellWord(word, "linux"), `'${word}'`);
  }
  assert.equal(shellWord("it's", "linux"), "'it'\\''s'");
});

Deno.test("shellWord leaves the backslashes of a path on Windows, and quotes them elsewhere", () => {
  assert.equal(shellWord("C:\\certs\\a.key", "windows"), "C:\\certs\\a.key");
  assert.equal(shellWord("C:\\my certs\\a.key", "windows"), "'C:\\my certs\\a.key'");
  assert.equal(shellWord("a\\b", "linux"), "'a\\b'");
});

Deno.test({
  name: "a POSIX shell gets back what was quoted",
  ignore: Deno.build.os === "windows",
  async fn() {
    const words = ["it's \\ $x", "a\\b", "", "''", "a\nb", "`id` $(id) !! *", "/plain"];
    const script = `printf '%s\\0' ${words.map((word) => shellWord(word)).join(" ")} ${singleQuoted("a")}`;
    const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
    assert.deepEqual(new TextDecoder().decode(stdout).split("\0").slice(0, -1), [...words, "a"]);
  },
});
