import assert from "node:assert/strict";
import { collect } from "../../../tests/support/mux/collect.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { sendAll } from "../../../tests/support/mux/send_all.ts";
import { sessionTest } from "../../../tests/support/mux/session_suite.ts";
import { sha256, testBytes } from "../../../tests/support/test_bytes.ts";
import { within } from "../../../tests/support/within.ts";
import { MemoryBudget } from "../flow/memory_budget.ts";
import type { MuxStream } from "../stream/stream.ts";

const CHUNK = testBytes(50_000);

/** Writes until the stream makes the writer wait; returns the bytes written. */
function fill(stream: MuxStream): number {
  let taken = 0;
  for (;;) {
    taken += CHUNK.byteLength;
    if (!stream.write(CHUNK)) return taken;
  }
}

/** Reads without consuming; resolves once `bytes` have arrived. */
function hoard(stream: MuxStream, bytes: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.listen({ data: () => void (stream.bytesIn >= bytes && resolve()) });
  stream.resume();
  return within(5_000, promise, `${bytes} bytes on stream ${stream.id}`);
}

const SMALL = { initialWindow: 100_000, maxWindow: 100_000 };

sessionTest(
  "stops only the stream whose reader stops (SPEC 5.1)",
  { accepter: SMALL, opener: { queueHighMark: 200_000 } },
  async ({ open }) => {
    const slow = await open();
    const arrived = hoard(slow.far, 100_000);
    const taken = fill(slow.near);
    await arrived;
    const other = await open();
    const otherGot = collect(other.far);
    sendAll(other.near, 5_000_000);
    assert.equal((await within(10_000, otherGot, "the other stream")).bytes.byteLength, 5_000_000);
    assert.equal(slow.far.bytesIn, 100_000, "no more than the window arrives");
    assert.equal(slow.near.bytesOut, 100_000);
    // The writer had to wait once window and queue were full, so that it holds at most one chunk more.
    assert.ok(taken <= 100_000 + 200_000 + CHUNK.byteLength, `the sender took ${taken} bytes`);
    other.far.end();
    slow.near.reset("cancelled", "enough");
    assert.equal((await streamEnd(slow.far))?.code, "cancelled");
    assert.equal(await streamEnd(other.near), undefined);
  },
);

sessionTest("continues when credit arrives late (SPEC 5.1)", { accepter: SMALL }, async ({ open }) => {
  const { near, far } = await open();
  const bytes = testBytes(1_000_000, 9);
  const held: Uint8Array[] = [];
  const ended = Promise.withResolvers<void>();
  const parts: Uint8Array[] = [];
  const full = Promise.withResolvers<void>();
  far.listen({
    data: (part) => {
      parts.push(part);
      held.push(part);
      if (far.bytesIn === 100_000) full.resolve();
    },
    end: () => ended.resolve(),
  });
  far.resume();
  near.write(bytes);
  near.end();
  await within(5_000, full.promise, "a full window");
  assert.equal(near.bytesOut, 100_000);
  far.listen({
    data: (part) => {
      parts.push(part);
      far.consumed(part.byteLength);
    },
    end: () => ended.resolve(),
  });
  for (const part of held) far.consumed(part.byteLength);
  await within(5_000, ended.promise, "the end");
  assert.equal(sha256(new Uint8Array(parts.flatMap((part) => [...part]))), sha256(bytes));
  far.end();
  assert.equal(await streamEnd(near), undefined);
});

sessionTest("emits drain once the queue of a writer is short", { accepter: SMALL }, async ({ open }) => {
  const { near, far } = await open();
  const got = collect(far);
  const drained = Promise.withResolvers<void>();
  near.listen({ drain: () => drained.resolve() });
  fill(near);
  await within(5_000, drained.promise, "drain");
  near.end();
  await within(5_000, got, "all of it");
  far.end();
  assert.equal(await streamEnd(near), undefined);
});

const budget = new MemoryBudget(1_000_000);

sessionTest(
  "widens the window of a reader that keeps up, within the memory budget (SPEC 5.1)",
  { accepter: { initialWindow: 50_000, maxWindow: 400_000 }, budget },
  async ({ open }) => {
    assert.equal(budget.reserved, 0);
    const { near, far } = await open();
    const enough = Promise.withResolvers<void>();
    far.listen({
      data: (bytes) => {
        far.consumed(bytes.byteLength);
        if (far.bytesIn >= 3_000_000) enough.resolve();
      },
    });
    far.resume();
    sendAll(near, 3_000_000);
    await within(5_000, enough.promise, "all of it");
    assert.equal(budget.reserved, 350_000);
    // A reader that stops now holds up to the wider window, and not a byte more.
    const next = await open();
    await hoardAll(next, 50_000);
    next.near.reset("cancelled", "enough");
    assert.equal((await streamEnd(next.far))?.code, "cancelled");
    far.end();
    assert.equal(await streamEnd(near), undefined);
    assert.equal(budget.reserved, 0);
  },
);

async function hoardAll({ near, far }: { near: MuxStream; far: MuxStream }, window: number): Promise<void> {
  const arrived = hoard(far, window);
  fill(near);
  await arrived;
  assert.equal(near.bytesOut, window);
}

sessionTest(
  "never widens windows beyond the memory budget (SPEC 5.1)",
  { accepter: { initialWindow: 20_000, maxWindow: 16_000_000 }, budget },
  async ({ open }) => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => open()));
    let most = 0;
    const ends = streams.map(({ near, far }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      far.listen({
        data: (bytes) => {
          far.consumed(bytes.byteLength);
          most = Math.max(most, budget.reserved);
        },
        end: () => resolve(),
      });
      far.resume();
      sendAll(near, 300_000);
      return promise;
    });
    await within(10_000, Promise.all(ends), "all streams");
    assert.ok(most > 0 && most <= budget.limit, `${most} reserved`);
    for (const { far } of streams) far.end();
    await Promise.all(streams.map(({ near }) => streamEnd(near)));
    assert.equal(budget.reserved, 0);
  },
);

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
    sendAll(near, size);
    return promise;
  });
  await within(5_000, started.promise, "both bulk streams");
  const small = await open(testBytes(2_000, 3), { end: true });
  const smallBytes = await within(5_000, collect(small.far), "the small one");
  const meanwhile = bulks.map(({ far }) => far.bytesIn);
  assert.equal(sha256(smallBytes.bytes), sha256(testBytes(2_000, 3)));
  assert.ok(meanwhile.every((bytes) => bytes < size), `the bulk was over first: ${meanwhile}`);
  await within(10_000, Promise.all(ends), "the bulk");
  // One whose queue was empty for a while goes first again, until it has sent 128 KiB and counts as bulk.
  assert.ok(widest < 150_000 + 131_072, `one stream was ${widest} bytes ahead of the other`);
  for (const { near, far } of [...bulks, small]) {
    far.end();
    assert.equal(await streamEnd(near), undefined);
  }
});

sessionTest(
  "gives a late stream as much as earlier ones (SPEC 5.4)",
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
      sendAll(near, 20_000_000);
      return promise;
    });
    await within(5_000, Promise.all(flowing), "three streams");
    const late = await open();
    const ended = Promise.withResolvers<number[]>();
    const counts = () => early.map(({ far }) => far.bytesIn);
    let before: number[] | undefined;
    late.far.listen({
      data: (bytes) => {
        // Bytes in flight before its first turn do not count.
        before ??= counts();
        late.far.consumed(bytes.byteLength);
      },
      end: () => ended.resolve(counts()),
    });
    late.far.resume();
    sendAll(late.near, 1_000_000);
    for (const [index, count] of (await within(10_000, ended.promise, "the late one")).entries()) {
      const got = count - before![index]!;
      assert.ok(got > 800_000 && got < 1_200_000, `got ${got} while the late one got 1000000`);
    }
    late.far.end();
    assert.equal(await streamEnd(late.near), undefined);
    for (const { near, far } of early) {
      near.reset("cancelled", "enough");
      assert.equal((await streamEnd(far))?.code, "cancelled");
    }
  },
);
