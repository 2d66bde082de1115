import { FrameEncoder } from "../wire/frame_codec.ts";

/** Buffers kept for reuse. */
const SPARE_BUFFERS = 8;

/** Makes encoders that reuse buffers. */
export class EncoderPool {
  readonly #bufferBytes: number;
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  /** @param bufferBytes Size of each buffer. */
  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes;
  }

  /** An empty encoder. */
  take(): FrameEncoder {
    return new FrameEncoder(this.#spare.pop() ?? new Uint8Array(this.#bufferBytes));
  }

  /** Keeps the buffer of an encoder that is not needed any more. */
  giveBack(encoder: FrameEncoder): void {
    const buffer = encoder.release();
    if (buffer.byteLength === this.#bufferBytes && this.#spare.length < SPARE_BUFFERS) {
      this.#spare.push(buffer);
    }
  }
}
