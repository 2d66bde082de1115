import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { testBytes } from "../test_bytes.ts";

/** Bytes of a part; each begins with its number, so that no two parts are the same. */
const PART = 65_536;
const BODY = testBytes(PART);

/** The known bytes that every transfer of these tests carries, in parts. */
export class Pattern {
  #sha256: string | undefined;

  /** @param parts How many; Infinity for more than any test can transfer. */
  constructor(readonly parts: number) {}

  /** Number of bytes, as for a Content-Length. */
  get size(): number {
    return Math.min(this.parts, 2 ** 26) * PART;
  }

  /** The SHA-256 of all bytes, in hex. */
  get sha256(): string {
    return this.#sha256 ??= this.#hash();
  }

  /** The bytes part by part. */
  *[Symbol.iterator](): Generator<Uint8Array<ArrayBuffer>> {
    for (let number = 0; number < this.parts; number++) yield partOf(number);
  }

  #hash(): string {
    const hash = createHash("sha256");
    for (const part of this) hash.update(part);
    return hash.digest("hex");
  }
}

function partOf(number: number): Uint8Array<ArrayBuffer> {
  const part = BODY.slice();
  new DataView(part.buffer).setFloat64(0, number);
  return part;
}

/** Checks the bytes of a transfer against its pattern: each byte as it arrives, and the hash at the end. */
export class Checker {
  readonly #pattern: Pattern;
  readonly #hash = createHash("sha256");
  #expected = new Uint8Array(0);
  #at = 0;
  #part = 0;
  /** Bytes so far. */
  count = 0;

  constructor(pattern: Pattern) {
    this.#pattern = pattern;
  }

  /** Takes the next bytes. @throws AssertionError When one of them is wrong. */
  take(bytes: Uint8Array): void {
    if (this.#pattern.parts !== Infinity) this.#hash.update(bytes);
    for (let at = 0; at < bytes.byteLength;) {
      if (this.#at === this.#expected.byteLength) this.#next();
      const length = Math.min(bytes.byteLength - at, this.#expected.byteLength - this.#at);
      const same = equal(
        bytes.subarray(at, at + length),
        this.#expected.subarray(this.#at, this.#at + length),
      );
      assert.ok(same, `a byte after ${this.count + at} was lost, doubled or reordered`);
      at += length;
      this.#at += length;
    }
    this.count += bytes.byteLength;
  }

  /** Whether all bytes have arrived. */
  get complete(): boolean {
    return this.count === this.#pattern.size;
  }

  /** Takes a good end. @throws AssertionError When bytes are missing or wrong. */
  ended(): void {
    assert.equal(this.count, this.#pattern.size, "a transfer that ended well is complete");
    assert.equal(this.#hash.digest("hex"), this.#pattern.sha256);
  }

  #next(): void {
    assert.ok(this.#part < this.#pattern.parts, "no more bytes arrive than were sent");
    this.#expected = partOf(this.#part++);
    this.#at = 0;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
