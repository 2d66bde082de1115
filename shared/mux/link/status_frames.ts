import type { CountedFrame } from "./counted_frame.ts";

/** Distinguishes the newest `status` of a session from older ones, which are not sent again (SPEC.md 3.7). */
export class StatusFrames {
  #newest: CountedFrame | undefined;
  readonly #older = new WeakSet<CountedFrame>();

  /** A frame is about to be sent. */
  add(frame: CountedFrame): void {
    if (this.#newest !== undefined) this.#older.add(this.#newest);
    this.#newest = frame;
  }

  /** Whether a frame is a `status` that a newer one has replaced. */
  isOld(frame: CountedFrame): boolean {
    return this.#older.has(frame);
  }
}
