import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { PART_BYTES } from "../mux/flow/part.ts";
import { type PartSink, PartWriter, WriteCoalescer } from "./part_writer.ts";

/** A sink that takes nothing until released. */
function stalledSink() {
  const writes: Uint8Array[] = [];
  const callbacks: (() => void)[] = [];
  let most = 0;
  const sink: PartSink & { destroyed: boolean } = {
    destroyed: false,
    write(bytes, written) {
      writes.push(bytes.slice());
      callbacks.push(written);
      most = Math.max(most, callbacks.length);
      return false;
    },
  };
  const take = () => {
    for (let next; (next = callbacks.shift());) next();
  };
  return { sink, writes, take, most: () => most };
}

/** A stream that sums up its charges. */
function countingSource() {
  return {
    consumedBytes: 0,
    charged: 0,
    consumed(count: number): void {
      this.consumedBytes += count;
    },
    charge(bytes: number): void {
      this.charged += bytes;
    },
  };
}

Deno.test("part writer merges single bytes for a reader that stopped, and charges each once", () => {
  const { sink, writes, take, most } = stalledSink();
  const source = countingSource();
  const writer = new PartWriter(sink, source);
  const sent = Array.from({ length: 100_000 }, (_, i) => i & 255);
  for (const byte of sent) writer.write(new Uint8Array([byte]));
  assert.ok(most() < 20, `${most()} writes wait`);
  assert.equal(source.consumedBytes, 0);
  assert.ok(source.charged > 0 && source.charged < sent.length, `${source.charged} bytes are charged`);
  take();
  assert.deepEqual([source.consumedBytes, source.charged], [sent.length, 0]);
  assert.deepEqual(writes.flatMap((bytes) => [...bytes]), sent);
});

Deno.test("part writer writes a part at once while the reader keeps up", () => {
  const { sink, writes, take } = stalledSink();
  const writer = new PartWriter(sink, countingSource());
  for (let i = 0; i < 20; i++) {
    writer.write(new Uint8Array([i]));
    assert.equal(writes.length, i + 1);
    take();
  }
});

Deno.test("part writer keeps the order of small and large parts, and flush leaves nothing behind", () => {
  const { sink, writes } = stalledSink();
  const writer = new PartWriter(sink, countingSource());
  const parts = Array.from({ length: 40 }, (_, i) => new Uint8Array(i % 3 === 2 ? 5_000 : 2).fill(i));
  for (const part of parts) writer.write(part);
  writer.flush();
  assert.deepEqual(writes.flatMap((bytes) => [...bytes]), parts.flatMap((bytes) => [...bytes]));
});

Deno.test("part writer returns credit for bytes that a destroyed sink does not take", () => {
  const { sink, take, writes } = stalledSink();
  const source = countingSource();
  const writer = new PartWriter(sink, source);
  for (let i = 0; i < 50; i++) writer.write(new Uint8Array([i]));
  sink.destroyed = true;
  take();
  assert.deepEqual([source.consumedBytes, source.charged, writes.length], [50, 0, 8]);
});

Deno.test("part writer charges every pending write, however parts alternate", () => {
  const { sink, take, writes } = stalledSink();
  const source = countingSource();
  const writer = new PartWriter(sink, source);
  for (let i = 0; i < 100; i++) {
    writer.write(new Uint8Array(1));
    writer.write(new Uint8Array(4_096));
  }
  assert.ok(writes.length > 100 && source.charged >= writes.length * PART_BYTES, `${source.charged}`);
  take();
  assert.deepEqual([source.consumedBytes, source.charged], [409_700, 0]);
});

Deno.test("an abandoned part writer returns credit for what was not written, once", () => {
  const { sink, take } = stalledSink();
  const source = countingSource();
  const writer = new PartWriter(sink, source);
  for (let i = 0; i < 100; i++) writer.write(new Uint8Array([i]));
  writer.abandon();
  assert.deepEqual([source.consumedBytes, source.charged], [100, 0]);
  writer.abandon();
  take();
  assert.deepEqual([source.consumedBytes, source.charged], [100, 0]);
});

/** Remembers the number of parts of each write. */
function recorder(): { writable: Writable; calls: number[] } {
  const calls: number[] = [];
  const writable = new Writable({
    write(_chunk, _encoding, done) {
      calls.push(1);
      done();
    },
    writev(chunks, done) {
      calls.push(chunks.length);
      done();
    },
  });
  return { writable, calls };
}

function writeTwice(writable: Writable, cork: WriteCoalescer, bytes: Uint8Array): void {
  for (const part of [bytes, bytes]) {
    cork.before(part.byteLength);
    writable.write(part);
  }
}

Deno.test("WriteCoalescer combines the large parts of a turn into one write", async () => {
  const { writable, calls } = recorder();
  const cork = new WriteCoalescer(writable);
  writeTwice(writable, cork, new Uint8Array(8_192));
  assert.deepEqual(calls, []);
  await Promise.resolve();
  assert.deepEqual(calls, [2]);
  writeTwice(writable, cork, new Uint8Array(8_192));
  await Promise.resolve();
  assert.deepEqual(calls, [2, 2]);
});

Deno.test("WriteCoalescer writes short parts at once", () => {
  const { writable, calls } = recorder();
  writeTwice(writable, new WriteCoalescer(writable), new Uint8Array(8_191));
  assert.deepEqual(calls, [1, 1]);
});

Deno.test("WriteCoalescer keeps the order of long and short parts", async () => {
  const seen: number[] = [];
  const writable = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      seen.push(chunk[0]!);
      done();
    },
  });
  const cork = new WriteCoalescer(writable);
  for (const [first, length] of [[1, 9_000], [2, 10], [3, 9_000]] as const) {
    cork.before(length);
    writable.write(new Uint8Array(length).fill(first));
  }
  await Promise.resolve();
  writable.end();
  await new Promise((resolve) => writable.once("finish", resolve));
  assert.deepEqual(seen, [1, 2, 3]);
});
