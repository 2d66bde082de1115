import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { sourceTag } from "./source_tag.ts";

const NOW = new Date("2026-01-02T03:04:05Z");

async function git(cwd: string, ...args: string[]): Promise<void> {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
  const { success, stderr } = await new Deno.Command("git", { args: [...identity, ...args], cwd }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

Deno.test("an image tag is the commit alone only when the sources match it exactly", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sallyport_tag_" });
  const tag = () => sourceTag(NOW, pathToFileURL(`${dir}/`));
  try {
    assert.equal(await tag(), "unknown-20260102030405", "no repository");
    await git(dir, "init", "--quiet");
    await Deno.mkdir(`${dir}/shared`);
    await Deno.writeTextFile(`${dir}/shared/a.ts`, "1");
    await Deno.writeTextFile(`${dir}/.gitignore`, "*.log\n");
    await git(dir, "add", ".");
    await git(dir, "commit", "--quiet", "--message=first");
    assert.match(await tag(), /^[0-9a-f]{12}$/);
    await Deno.writeTextFile(`${dir}/notes.txt`, "the build does not copy this");
    assert.match(await tag(), /^[0-9a-f]{12}$/);
    await git(dir, "config", "status.showUntrackedFiles", "no");
    for (const [file, text] of [["b.ts", "untracked"], ["b.log", "ignored"], ["a.ts", "changed"]] as const) {
      await Deno.writeTextFile(`${dir}/shared/${file}`, text);
      assert.match(await tag(), /^[0-9a-f]{12}-dirty-20260102030405$/, file);
      if (file !== "a.ts") await Deno.remove(`${dir}/shared/${file}`);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
