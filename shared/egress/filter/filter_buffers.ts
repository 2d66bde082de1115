import { Buffer } from "node:buffer";
import { latin1 } from "../../text/latin1.ts";

/** The most bytes of a head, or of trailers, that are held. */
export const MAX_HEAD_BYTES = 131_072;

/** Bytes held until more arrive; copied, so that a piece of one byte does not retain the block that it was read into. */
export class HeldBytes {
  #bytes = Buffer.alloc(0);
  length = 0;
  #charge: (bytes: number) => void = () => {};

  /** Charges the memory of what is held to `charge` from now on, and no longer to the one before. */
  chargeTo(charge: (bytes: number) => void): void {
    this.#charge(-this.#bytes.length);
    this.#charge = charge;
    charge(this.#bytes.length);
  }

  /** Appends a copy of `piece`. */
  add(piece: Uint8Array): void {
    const length = this.length + piece.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.min(MAX_HEAD_BYTES, Math.max(1_024, 2 * length)));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#replace(larger);
    }
    this.#bytes.set(piece, this.length);
    this.length = length;
  }

  /** Returns all bytes as Latin-1, and drops them. */
  take(): string {
    const text = latin1(this.#bytes.subarray(0, this.length));
    this.clear();
    return text;
  }

  /** Drops all bytes and their memory. */
  clear(): void {
    if (this.#bytes.length > 0) this.#replace(Buffer.alloc(0));
    this.length = 0;
  }

  #replace(bytes: Buffer<ArrayBuffer>): void {
    this.#charge(bytes.length - this.#bytes.length);
    this.#bytes = bytes;
  }
}

/** What the filter passes on of a block: unchanged parts, joined where they touch, and rewritten text. */
export class FilterOutput {
  readonly #bytes: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  #from = 0;
  #to = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Passes on bytes of the block unchanged. */
  keep(from: number, to: number): void {
    if (from !== this.#to) {
      this.#flush();
      this.#from = from;
    }
    this.#to = to;
  }

  /** Passes on Latin-1 text that is not in the block. */
  add(text: string): void {
    this.#flush();
    this.#parts.push(Buffer.from(text, "latin1"));
  }

  /** Passes on lines: unchanged if all of them are in this block and need no change, else as `text`. */
  rewrite(raw: string, text: string, from: number, to: number): void {
    if (raw === text && raw.length === to - from) this.keep(from, to);
    else this.add(text);
  }

  /** Returns everything, in order. */
  end(): Uint8Array[] {
    this.#flush();
    return this.#parts;
  }

  #flush(): void {
    if (this.#to > this.#from) this.#parts.push(this.#bytes.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
