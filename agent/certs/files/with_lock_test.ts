import assert from "node:assert/strict";
import { withFolder } from "../../../tests/support/pki/certificate_folder.ts";
import { withLock } from "./with_lock.ts";

Deno.test("withLock runs one after the other, also after one that failed", async () => {
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/ca.key`, "");
    let working = 0;
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, (_, index) =>
        withLock(dir, async () => {
          assert.equal(++working, 1);
          await Deno.stat(dir); // lets the others run
          working--;
          if (index === 0) throw new Error("failed");
          return index;
        })),
    );
    assert.deepEqual(results.map(({ status }) => status), ["rejected", ...Array(4).fill("fulfilled")]);
  });
});

Deno.test("withLock runs without a key, so that the work reports that it is missing", async () => {
  await withFolder(async (dir) => {
    assert.equal(await withLock(dir, () => Promise.resolve("worked")), "worked");
  });
});
