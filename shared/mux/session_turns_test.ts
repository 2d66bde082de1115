import assert from "node:assert/strict";
import { collect } from "../../tests/support/collect.ts";
import { over } from "../../tests/support/over.ts";
import { pour } from "../../tests/support/pour.ts";
import { sessionTest } from "../../tests/support/session_suite.ts";
import { sha256, testBytes } from "../../tests/support/test_bytes.ts";
import { within } from "../../tests/support/within.ts";

// The same window for all, so that nothing but the turns decides.
const WIDE = { initialWindow: 16_777_216, maxWindow: 16_777_216 };

sessionTest("gives every stream its turn, by bytes (SPEC 5.4)", { accepter: WIDE }, async ({ open }) => {
  const size = 6_000_000;
  const bulks = [await open(), await open()];
  let widest = 0;
  const watch = () => {
    const [a, b] = bulks.map(({ far }) => far.bytesIn) as [number, number];
    if (a < size && b < size) widest = Math.max(widest, Math.abs(a - b));
  };
  const started = Promise.withResolvers<void>();
  const ends = bulks.map(({ near, far }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    far.listen({
      data: (bytes) => {
        far.consumed(bytes.byteLength);
        watch();
        if (far.bytesIn > 500_000) started.resolve();
      },
      end: () => resolve(),
    });
    far.resume();
    pour(near, size);
    return promise;
  });
  await within(5_000, started.promise, "both bulk streams");
  const small = await open(testBytes(2_000, 3), { end: true });
  const smallBytes = await within(5_000, collect(small.far), "the small one");
  const meanwhile = bulks.map(({ far }) => far.bytesIn);
  assert.equal(sha256(smallBytes.bytes), sha256(testBytes(2_000, 3)));
  assert.ok(meanwhile.every((bytes) => bytes < size), `the bulk was over first: ${meanwhile}`);
  await within(10_000, Promise.all(ends), "the bulk");
  assert.ok(widest < 150_000, `one stream was ${widest} bytes ahead of the other`);
  for (const { near, far } of [...bulks, small]) {
    far.end();
    assert.equal(await over(near), undefined);
  }
});

sessionTest(
  "gives a late stream as much as those before it (SPEC 5.4)",
  { accepter: WIDE },
  async ({ open }) => {
    const early = await Promise.all([open(), open(), open()]);
    const flowing = early.map(({ near, far }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      far.listen({
        data: (bytes) => {
          far.consumed(bytes.byteLength);
          if (far.bytesIn > 200_000) resolve();
        },
      });
      far.resume();
      pour(near, 20_000_000);
      return promise;
    });
    await within(5_000, Promise.all(flowing), "three streams");
    const late = await open();
    const ended = Promise.withResolvers<number[]>();
    const counts = () => early.map(({ far }) => far.bytesIn);
    let before: number[] | undefined;
    late.far.listen({
      data: (bytes) => {
        // What was under way before its first turn is none of its business.
        before ??= counts();
        late.far.consumed(bytes.byteLength);
      },
      end: () => ended.resolve(counts()),
    });
    late.far.resume();
    pour(late.near, 1_000_000);
    for (const [index, count] of (await within(10_000, ended.promise, "the late one")).entries()) {
      const got = count - before![index]!;
      assert.ok(got > 800_000 && got < 1_200_000, `got ${got} while the late one got 1000000`);
    }
    late.far.end();
    assert.equal(await over(late.near), undefined);
    for (const { near, far } of early) {
      near.reset("cancelled", "enough");
      assert.equal((await over(far))?.code, "cancelled");
    }
  },
);
