import assert from "node:assert/strict";
import { collect } from "../../tests/support/collect.ts";
import { over } from "../../tests/support/over.ts";
import { pour } from "../../tests/support/pour.ts";
import { sessionTest } from "../../tests/support/session_suite.ts";
import { sha256, testBytes } from "../../tests/support/test_bytes.ts";
import { within } from "../../tests/support/within.ts";
import { MemoryBudget } from "./memory_budget.ts";
import type { MuxStream } from "./stream.ts";

const CHUNK = testBytes(50_000);

/** Writes until the stream asks to pause; returns the bytes that it took. */
function fill(stream: MuxStream): number {
  let taken = 0;
  for (;;) {
    taken += CHUNK.byteLength;
    if (!stream.write(CHUNK)) return taken;
  }
}

/** Reads without handing on: keeps what arrives, and tells when nothing was handed on and `bytes` are here. */
function hoard(stream: MuxStream, bytes: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.listen({ data: () => void (stream.bytesIn >= bytes && resolve()) });
  stream.resume();
  return within(5_000, promise, `${bytes} bytes on stream ${stream.id}`);
}

const SMALL = { initialWindow: 100_000, maxWindow: 100_000 };

sessionTest(
  "lets a reader that stops hold up its own stream only (SPEC 5.1)",
  { accepter: SMALL, opener: { queueHighMark: 200_000 } },
  async ({ open }) => {
    const slow = await open();
    const arrived = hoard(slow.far, 100_000);
    const taken = fill(slow.near);
    await arrived;
    const other = await open();
    const otherGot = collect(other.far);
    pour(other.near, 5_000_000);
    assert.equal((await within(10_000, otherGot, "the other stream")).bytes.byteLength, 5_000_000);
    assert.equal(slow.far.bytesIn, 100_000, "no more than the window arrives");
    assert.equal(slow.near.bytesOut, 100_000);
    // The writer was asked to pause when window and queue were full: it holds one chunk more at the most.
    assert.ok(taken <= 100_000 + 200_000 + CHUNK.byteLength, `the sender took ${taken} bytes`);
    other.far.end();
    slow.near.reset("cancelled", "enough");
    assert.equal((await over(slow.far))?.code, "cancelled");
    assert.equal(await over(other.near), undefined);
  },
);

sessionTest("goes on when credit comes late (SPEC 5.1)", { accepter: SMALL }, async ({ open }) => {
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
  assert.equal(await over(near), undefined);
});

sessionTest("tells a writer to go on once its queue is short", { accepter: SMALL }, async ({ open }) => {
  const { near, far } = await open();
  const got = collect(far);
  const drained = Promise.withResolvers<void>();
  near.listen({ drain: () => drained.resolve() });
  fill(near);
  await within(5_000, drained.promise, "drain");
  near.end();
  await within(5_000, got, "all of it");
  far.end();
  assert.equal(await over(near), undefined);
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
    pour(near, 3_000_000);
    await within(5_000, enough.promise, "all of it");
    assert.equal(budget.reserved, 350_000);
    // A reader that stops now holds up to the wider window, and not a byte more.
    const next = await open();
    await hoardAll(next, 50_000);
    next.near.reset("cancelled", "enough");
    assert.equal((await over(next.far))?.code, "cancelled");
    far.end();
    assert.equal(await over(near), undefined);
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
      pour(near, 300_000);
      return promise;
    });
    await within(10_000, Promise.all(ends), "all streams");
    assert.ok(most > 0 && most <= budget.limit, `${most} reserved`);
    for (const { far } of streams) far.end();
    await Promise.all(streams.map(({ near }) => over(near)));
    assert.equal(budget.reserved, 0);
  },
);
