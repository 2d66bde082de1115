import assert from "node:assert/strict";
import { withFolder } from "../../tests/support/certificate_folder.ts";
import { withLock } from "./with_lock.ts";

Deno.test("withLock lets one after the other work, also after one that failed", async () => {
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/ca.key`, "");
    let working = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, (_, index) =>
        withLock(dir, async () => {
          assert.equal(++working, 1);
          await Deno.stat(dir); // gives the others a turn
          working--;
          if (index === 0) throw new Error("failed");
          return index;
        })),
    );
    assert.deepEqual(outcomes.map(({ status }) => status), ["rejected", ...Array(4).fill("fulfilled")]);
  });
});

Deno.test("withLock leaves it to the work to say that there is no key", async () => {
  await withFolder(async (dir) => {
    assert.equal(await withLock(dir, () => Promise.resolve("worked")), "worked");
  });
});
