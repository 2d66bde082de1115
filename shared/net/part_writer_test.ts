import assert from "node:assert/strict";
import { PART_BYTES } from "../mux/part.ts";
import { type PartSink, PartWriter } from "./part_writer.ts";

/** A sink that takes nothing until it is told to. */
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

/** A stream that adds up what it is charged. */
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

Deno.test("part writer merges single bytes for a reader that stopped, and counts each once", () => {
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

Deno.test("part writer hands a part on at once while the reader keeps up", () => {
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

Deno.test("part writer gives back the bytes that a destroyed sink will not take", () => {
  const { sink, take, writes } = stalledSink();
  const source = countingSource();
  const writer = new PartWriter(sink, source);
  for (let i = 0; i < 50; i++) writer.write(new Uint8Array([i]));
  sink.destroyed = true;
  take();
  assert.deepEqual([source.consumedBytes, source.charged, writes.length], [50, 0, 8]);
});

Deno.test("part writer charges every write that waits, however parts alternate", () => {
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
