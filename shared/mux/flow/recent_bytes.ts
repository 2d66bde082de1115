/** Bytes that are forgotten per millisecond. */
const FORGOTTEN_PER_MS = 2_048;
/** Bytes from which a stream is bulk: more than a page or a few pictures at once. */
const BULK_BYTES = 131_072;

/**
 * How much a stream has sent lately, by which a download is told from an interactive stream (SPEC.md 5.4). Bulk is what
 * is fast, or what always has something waiting because the path is slow.
 */
export class RecentBytes {
  #recent = 0;
  #at = 0;
  /** Bytes since nothing waited. */
  #burst = 0;

  /** Bytes were sent at `now`, in milliseconds. @param isRest Whether nothing waits any more. */
  add(bytes: number, now: number, isRest: boolean): void {
    this.#recent = this.#left(now) + bytes;
    this.#at = now;
    this.#burst = isRest ? 0 : this.#burst + bytes;
  }

  /** Whether so much was sent lately that other streams should not wait behind it. */
  isBulk(now: number): boolean {
    return this.#burst > BULK_BYTES || this.#recent > BULK_BYTES && this.#left(now) > BULK_BYTES;
  }

  #left(now: number): number {
    return Math.max(0, this.#recent - (now - this.#at) * FORGOTTEN_PER_MS);
  }
}
