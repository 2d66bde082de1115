import type { Buffer } from "node:buffer";
import { Transform, type TransformCallback } from "node:stream";

/** Bytes that wait in it at most, so that the pace is felt at once. */
const HIGH_WATER_MARK = 65_536;

/** Passes bytes on, not faster than a path would. */
export class PacedPipe extends Transform {
  readonly #rate: () => number;
  readonly #forwarded: (bytes: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param rate Bytes a second from now on; Infinity for no limit.
   * @param forwarded Is called with the number of bytes that were passed on.
   */
  constructor(rate: () => number, forwarded: (bytes: number) => void) {
    super({ highWaterMark: HIGH_WATER_MARK });
    this.#rate = rate;
    this.#forwarded = forwarded;
    this.on("error", () => {}); // its sockets close, which says enough
  }

  override _transform(bytes: Buffer, _encoding: string, passed: TransformCallback): void {
    const pass = () => {
      passed(null, bytes);
      this.#forwarded(bytes.byteLength);
    };
    const rate = this.#rate();
    if (rate === Infinity) pass();
    else this.#timer = setTimeout(pass, bytes.byteLength / rate * 1_000);
  }

  override _destroy(error: Error | null, destroyed: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    destroyed(error);
  }
}
