import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { TurnCork } from "./turn_cork.ts";

/** Remembers how many parts reached it in one call. */
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

function writeTwice(writable: Writable, cork: TurnCork, bytes: Uint8Array): void {
  for (const part of [bytes, bytes]) {
    cork.before(part.byteLength);
    writable.write(part);
  }
}

Deno.test("TurnCork makes one write of a turn's large parts", async () => {
  const { writable, calls } = recorder();
  const cork = new TurnCork(writable);
  writeTwice(writable, cork, new Uint8Array(8_192));
  assert.deepEqual(calls, []);
  await Promise.resolve();
  assert.deepEqual(calls, [2]);
  writeTwice(writable, cork, new Uint8Array(8_192));
  await Promise.resolve();
  assert.deepEqual(calls, [2, 2]);
});

Deno.test("TurnCork lets short parts leave at once", () => {
  const { writable, calls } = recorder();
  writeTwice(writable, new TurnCork(writable), new Uint8Array(8_191));
  assert.deepEqual(calls, [1, 1]);
});

Deno.test("TurnCork keeps the order of long and short parts", async () => {
  const seen: number[] = [];
  const writable = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      seen.push(chunk[0]!);
      done();
    },
  });
  const cork = new TurnCork(writable);
  for (const [first, length] of [[1, 9_000], [2, 10], [3, 9_000]] as const) {
    cork.before(length);
    writable.write(new Uint8Array(length).fill(first));
  }
  await Promise.resolve();
  writable.end();
  await new Promise((resolve) => writable.once("finish", resolve));
  assert.deepEqual(seen, [1, 2, 3]);
});
