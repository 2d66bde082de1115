import assert from "node:assert/strict";
import { collect } from "../../../tests/support/mux/collect.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { sendAll } from "../../../tests/support/mux/send_all.ts";
import { ONE_LINK, OPENING, type Pair, sessionTest } from "../../../tests/support/mux/session_suite.ts";
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

// The same window for all, and bytes that are all there at once, so that nothing but the turns decides.
const WIDE = { initialWindow: 16_777_216, maxWindow: 16_777_216 };
const BULK = testBytes(6_000_000);
/** Bytes after which a stream is bulk and its opening message has arrived. */
const SETTLED = 1_000_000;
/** By how much a stream may be ahead of another one: a turn, and what is too little for one. */
const AHEAD = 16_384 + 4_096;

/** Opens a stream to a reader; `sendBulk` sends to it, and resolves when all was read. */
async function openRead({ open }: Pair): Promise<{ near: MuxStream; sendBulk(): Promise<void> }> {
  const { near, far } = await open();
  far.listen({ data: (part) => far.consumed(part.byteLength), end: () => far.end() });
  far.resume();
  return {
    near,
    async sendBulk() {
      near.write(BULK);
      near.end();
      assert.equal(await streamEnd(near), undefined);
      assert.equal(await streamEnd(far), undefined);
    },
  };
}

/** Tells, in the order of sending, how far apart two streams got: the most by which each was ahead, added. */
class Race {
  readonly #leads: number[] = [];

  constructor(readonly a: MuxStream, readonly b: MuxStream) {}

  /** Looks after a write, while both streams have more to send. */
  look(): void {
    const [a, b] = [this.a.bytesOut, this.b.bytesOut];
    if (Math.min(a, b) >= SETTLED && Math.max(a, b) < BULK.byteLength) this.#leads.push(a - b);
  }

  assertEven(): void {
    assert.ok(this.#leads.length > 10, `${this.#leads.length} looks`);
    const apart = Math.max(...this.#leads) - Math.min(...this.#leads);
    assert.ok(apart < 2 * AHEAD, `streams ${this.a.id} and ${this.b.id} got ${apart} bytes apart`);
  }
}

sessionTest("gives every stream its turn, by bytes (SPEC 5.4)", { accepter: WIDE }, async (pair) => {
  const bulks = [await openRead(pair), await openRead(pair)] as const;
  const race = new Race(bulks[0].near, bulks[1].near);
  pair.afterWrites(() => race.look());
  await Promise.all(bulks.map(({ sendBulk }) => sendBulk()));
  race.assertEven();
});

sessionTest("gives a late stream as much as earlier ones (SPEC 5.4)", { accepter: WIDE }, async (pair) => {
  const early = await Promise.all([1, 2, 3].map(() => openRead(pair)));
  const late = await openRead(pair);
  const races = early.map(({ near }) => new Race(near, late.near));
  const started = Promise.withResolvers<Promise<void>>();
  pair.afterWrites(() => {
    if (early.some(({ near }) => near.bytesOut < SETTLED)) return;
    started.resolve(late.sendBulk());
    pair.afterWrites(() => races.forEach((race) => race.look()));
  });
  await Promise.all([...early.map(({ sendBulk }) => sendBulk()), started.promise]);
  for (const race of races) race.assertEven();
});

// By another link, bulk goes at the same time.
sessionTest("sends a small stream ahead of bulk (SPEC 5.4)", {
  accepter: WIDE,
  links: ONE_LINK,
}, async (pair) => {
  const bulk = await openRead(pair);
  const small = testBytes(2_000, 3);
  const opened = Promise.withResolvers<MuxStream>();
  const ahead = Promise.withResolvers<number>();
  pair.afterWrites(() => {
    const before = bulk.near.bytesOut;
    if (before < SETTLED) return;
    const near = pair.opener.session.open(OPENING, small, { end: true });
    opened.resolve(near);
    pair.afterWrites(() => near.bytesOut === small.byteLength && ahead.resolve(bulk.near.bytesOut - before));
  });
  const all = bulk.sendBulk();
  const near = await within(5_000, opened.promise, "some bulk");
  const far = await pair.accepter.nextStream();
  assert.equal(sha256((await collect(far)).bytes), sha256(small));
  far.end();
  assert.equal(await streamEnd(near), undefined);
  const bytes = await ahead.promise;
  assert.ok(bytes <= 131_072, `${bytes} bytes of the other went before, or with the same write`);
  await all;
});
