import assert from "node:assert/strict";
import { namesIn, withFolder } from "../../../tests/support/pki/certificate_folder.ts";
import { replaceFiles } from "./write_files.ts";

const posix = { ignore: Deno.build.os === "windows" };

Deno.test("replaceFiles never shows a reader a partial file", async () => {
  await withFolder(async (dir) => {
    const path = `${dir}/a.crt`;
    const texts = ["a", "b"].map((letter) => letter.repeat(300_000));
    await Deno.writeTextFile(path, texts[0]!);
    let done = false;
    const reading = (async () => {
      let reads = 0;
      for (; !done; reads++) {
        const text = await Deno.readTextFile(path);
        assert.ok(texts.includes(text), `a text of ${text.length} characters that is neither`);
      }
      return reads;
    })();
    for (let round = 1; round <= 20; round++) {
      await replaceFiles([{ path, text: texts[round % 2]!, mode: 0o644 }]);
    }
    done = true;
    assert.ok(await reading > 0);
    assert.deepEqual(await namesIn(dir), ["a.crt"]);
  });
});

Deno.test("replaceFiles changes nothing when one of the files cannot be written", async () => {
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a`, "old");
    const files = ["a", "no/b"].map((name) => ({ path: `${dir}/${name}`, text: "new", mode: 0o644 }));
    await assert.rejects(replaceFiles(files), /Cannot write .*no\/b: no such file or directory/);
    assert.equal(await Deno.readTextFile(`${dir}/a`), "old");
    assert.deepEqual(await namesIn(dir), ["a"]);
  });
});

Deno.test("replaceFiles stops at a file that it cannot replace, and leaves no other file behind", async () => {
  await withFolder(async (dir) => {
    await Deno.mkdir(`${dir}/b`);
    await Deno.writeTextFile(`${dir}/c`, "old");
    const files = ["a", "b", "c"].map((name) => ({ path: `${dir}/${name}`, text: "new", mode: 0o644 }));
    await assert.rejects(replaceFiles(files), /Cannot write .*\/b: it is a directory/);
    assert.equal(await Deno.readTextFile(`${dir}/c`), "old");
    assert.deepEqual(await namesIn(dir), ["a", "b", "c"]);
  });
});

Deno.test({
  name: "replaceFiles keeps modes, but leaves no key open to all users",
  ...posix,
  fn: () =>
    withFolder(async (dir) => {
      const modes = [
        ["new.key", undefined, 0o600, 0o600],
        ["group.key", 0o640, 0o600, 0o640],
        [
          "open.key",
          0o644,
          0o600,
          0o640,
        ],
        ["new.crt", undefined, 0o644, 0o644],
        ["own.crt", 0o600, 0o644, 0o600],
      ] as const;
      for (const [name, before, mode, after] of modes) {
        const path = `${dir}/${name}`;
        if (before !== undefined) {
          await Deno.writeTextFile(path, "old");
          await Deno.chmod(path, before);
        }
        await replaceFiles([{ path, text: "new", mode }]);
        assert.equal((await Deno.stat(path)).mode! & 0o777, after, name);
      }
    }),
});

Deno.test({
  name: "replaceFiles keeps the owner",
  ...posix,
  fn: () =>
    withFolder(async (dir) => {
      await Deno.writeTextFile(`${dir}/a.key`, "old", { mode: 0o600 });
      // Only root can change a file's owner.
      if (Deno.uid() === 0) await Deno.chown(`${dir}/a.key`, 1234, 5678);
      const before = await Deno.stat(`${dir}/a.key`);
      await replaceFiles([{ path: `${dir}/a.key`, text: "new", mode: 0o600 }]);
      const after = await Deno.stat(`${dir}/a.key`);
      assert.deepEqual([after.uid, after.gid], [before.uid, before.gid]);
      assert.notEqual(after.ino, before.ino);
    }),
});

Deno.test({
  name: "replaceFiles replaces the target of a symbolic link",
  ...posix,
  fn: () =>
    withFolder(async (dir) => {
      await Deno.mkdir(`${dir}/real`);
      await Deno.writeTextFile(`${dir}/real/a`, "old");
      await Deno.symlink(`real/a`, `${dir}/a`);
      await replaceFiles([{ path: `${dir}/a`, text: "new", mode: 0o644 }]);
      assert.equal(await Deno.readTextFile(`${dir}/real/a`), "new");
      assert.equal((await Deno.lstat(`${dir}/a`)).isSymlink, true);
      assert.deepEqual(await namesIn(`${dir}/real`), ["a"]);
    }),
});
