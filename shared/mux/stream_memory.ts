import type { HeldShare } from "./held_memory.ts";

/** What a stream takes that holds nothing: its objects here, and those of its room, its socket among them. */
export const STREAM_BYTES = 16_384;

/** What one stream holds of its connection's share (SPEC.md 5.5). */
export class StreamMemory {
  readonly #share: HeldShare;
  #held = 0;
  #released = false;

  constructor(share: HeldShare) {
    this.#share = share;
    this.add(STREAM_BYTES);
  }

  /** Bytes that the stream holds. */
  get held(): number {
    return this.#held;
  }

  /** Whether the process has so little left that writers of this client should wait. */
  get tight(): boolean {
    return this.#share.memory.tightFor(this.#share.client);
  }

  /** The stream holds `bytes` more. */
  add(bytes: number): void {
    if (this.#released) return;
    this.#held += bytes;
    this.#share.change(bytes);
  }

  /** The stream holds `bytes` less. */
  remove(bytes: number): void {
    this.add(-bytes);
  }

  /** Gives everything back, for good. */
  release(): void {
    this.add(-this.#held);
    this.#released = true;
  }
}
