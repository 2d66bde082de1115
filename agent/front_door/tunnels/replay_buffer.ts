import { Buffer } from "node:buffer";
import { compact, merge, overheadOf, type Part } from "../../../shared/mux/flow/part.ts";

/** Bytes that were sent on a stream, so that they can be sent again on another one. */
export class ReplayBuffer {
  #parts: Part[] = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  /** What the bytes take in memory (SPEC.md 5.5). */
  get cost(): number {
    return this.#parts.reduce((cost, { bytes }) => cost + overheadOf(bytes), this.#byteLength);
  }

  push(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#byteLength += bytes.byteLength;
    const last = this.#parts.at(-1);
    if (last === undefined || merge(last, bytes) === undefined) this.#parts.push({ bytes: compact(bytes) });
  }

  clear(): void {
    this.#parts = [];
    this.#byteLength = 0;
  }

  /** All bytes from `offset` on. */
  from(offset: number): Uint8Array {
    return Buffer.concat(this.#parts.map(({ bytes }) => bytes)).subarray(offset);
  }
}
