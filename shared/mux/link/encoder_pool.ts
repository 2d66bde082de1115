import type { Transport } from "../transport.ts";
import { FrameEncoder } from "../wire/frame_codec.ts";

/** Bytes of a write up to which it is copied. */
const SMALL_WRITE_BYTES = 16_384;
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

  /**
   * Writes the frames of an encoder, and keeps its buffer once the connection took them: at once when they are few, since
   * a peer that reads nothing must not hold a whole buffer for each write.
   */
  write(encoder: FrameEncoder, transport: Pick<Transport, "write">, written: () => void): void {
    const isSmall = encoder.length <= SMALL_WRITE_BYTES;
    const bytes = isSmall ? encoder.bytes.slice() : encoder.bytes;
    if (isSmall) this.giveBack(encoder);
    transport.write(bytes, () => {
      if (!isSmall) this.giveBack(encoder);
      written();
    });
  }

  /** Keeps the buffer of an encoder that is not needed any more. */
  giveBack(encoder: FrameEncoder): void {
    const buffer = encoder.release();
    if (buffer.byteLength === this.#bufferBytes && this.#spare.length < SPARE_BUFFERS) {
      this.#spare.push(buffer);
    }
  }
}
