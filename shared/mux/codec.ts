import { HEADER_BYTES, readHeader, writeHeader } from "./frame.ts";

/** What the decoder finds in the bytes of a connection. */
export interface FrameEvents {
  /** A frame began: its JSON, good until the next event, the length of its body, and the bytes before that. */
  head(json: Uint8Array, bodyLength: number, headBytes: number): void;
  /** A part of that frame's body, as it arrived; `last` with the final one. Never called for an empty body. */
  body(part: Uint8Array, last: boolean): void;
}

/**
 * Cuts a byte stream into frames. Bodies pass through in the pieces in which they arrived; only a header or
 * an envelope that arrives in pieces is held back, and no more of it than its checked length (SPEC.md 2.2).
 */
export class FrameDecoder {
  readonly #events: FrameEvents;
  /** Collects a header, then an envelope, when a chunk holds only a part of it. */
  #held = new Uint8Array(HEADER_BYTES);
  #heldBytes = 0;
  /** Zero while a header is awaited: no envelope has that length. */
  #jsonLength = 0;
  #bodyLength = 0;
  #bodyLeft = 0;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /**
   * Takes the next bytes.
   * @throws SallyportError `frame_too_large` or `protocol_violation`; the decoder is of no use afterwards.
   */
  push(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.byteLength) {
      if (this.#bodyLeft > 0) offset = this.#takeBody(chunk, offset);
      else if (this.#jsonLength === 0) offset = this.#takeHeader(chunk, offset);
      else offset = this.#takeJson(chunk, offset);
    }
  }

  #takeBody(chunk: Uint8Array, offset: number): number {
    const end = Math.min(chunk.byteLength, offset + this.#bodyLeft);
    this.#bodyLeft -= end - offset;
    this.#events.body(chunk.subarray(offset, end), this.#bodyLeft === 0);
    return end;
  }

  #takeHeader(chunk: Uint8Array, offset: number): number {
    const whole = this.#collect(chunk, offset, HEADER_BYTES);
    if (whole === undefined) return chunk.byteLength;
    const header = readHeader(whole.bytes, whole.start);
    this.#jsonLength = header.jsonLength;
    this.#bodyLength = header.bodyLength;
    return whole.next;
  }

  #takeJson(chunk: Uint8Array, offset: number): number {
    const length = this.#jsonLength;
    const whole = this.#collect(chunk, offset, length);
    if (whole === undefined) return chunk.byteLength;
    const json = whole.bytes.subarray(whole.start, whole.start + length);
    this.#jsonLength = 0;
    this.#bodyLeft = this.#bodyLength;
    this.#events.head(json, this.#bodyLength, HEADER_BYTES + length);
    return whole.next;
  }

  /** Finds `length` bytes: in the chunk itself where it has them all, else in what was held back so far. */
  #collect(chunk: Uint8Array, offset: number, length: number): Collected | undefined {
    const available = chunk.byteLength - offset;
    if (this.#heldBytes === 0 && available >= length) {
      return { bytes: chunk, start: offset, next: offset + length };
    }
    if (this.#held.byteLength < length) {
      const wider = new Uint8Array(length);
      wider.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = wider;
    }
    const taken = Math.min(available, length - this.#heldBytes);
    this.#held.set(chunk.subarray(offset, offset + taken), this.#heldBytes);
    this.#heldBytes += taken;
    if (this.#heldBytes < length) return undefined;
    this.#heldBytes = 0;
    return { bytes: this.#held, start: 0, next: offset + taken };
  }
}

interface Collected {
  bytes: Uint8Array;
  start: number;
  next: number;
}

const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/** Writes frames one after the other into one buffer, so that many leave in a single write. */
export class FrameEncoder {
  #buffer: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** @param buffer Where frames go; a larger one is allocated when a frame does not fit. */
  constructor(buffer: Uint8Array<ArrayBuffer>) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** The frames written so far; the buffer itself, not a copy. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Hands the buffer back, for another encoder. */
  release(): Uint8Array<ArrayBuffer> {
    return this.#buffer;
  }

  /** Appends a frame and returns its length in bytes. */
  append(json: string | Uint8Array, body: Uint8Array = NO_BYTES): number {
    const start = this.#length;
    // Three bytes are the most that UTF-8 needs for one UTF-16 unit.
    const jsonRoom = typeof json === "string" ? json.length * 3 : json.byteLength;
    this.#reserve(HEADER_BYTES + jsonRoom + body.byteLength);
    const jsonStart = start + HEADER_BYTES;
    let jsonLength: number;
    if (typeof json === "string") {
      jsonLength = encoder.encodeInto(json, this.#buffer.subarray(jsonStart)).written;
    } else {
      this.#buffer.set(json, jsonStart);
      jsonLength = json.byteLength;
    }
    writeHeader(this.#view, start, { jsonLength, bodyLength: body.byteLength });
    this.#buffer.set(body, jsonStart + jsonLength);
    this.#length = jsonStart + jsonLength + body.byteLength;
    return this.#length - start;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.byteLength) return;
    const wider = new Uint8Array(Math.max(needed, this.#buffer.byteLength * 2));
    wider.set(this.bytes);
    this.#buffer = wider;
    this.#view = new DataView(wider.buffer);
  }
}
