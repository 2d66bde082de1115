import { HEADER_BYTES, readHeader, writeHeader } from "./frame_header.ts";

/** What a decoder finds in the bytes of a connection. */
interface FrameEvents {
  /** A frame began: its JSON, valid until the next event, the length of its body, and the bytes before the body. */
  head(json: Uint8Array, bodyLength: number, headBytes: number): void;
  /** A part of that frame's body, as it arrived; `last` for the final one. Never called for an empty body. */
  body(part: Uint8Array, last: boolean): void;
  /** The memory held for a partial envelope changed by `bytes`, which may be negative. */
  held?(bytes: number): void;
}

/**
 * Splits a byte stream into frames. Bodies pass through in the pieces in which they arrived; only a partial header or
 * envelope is buffered, and only after its length was checked (SPEC.md 2.2).
 */
export class FrameDecoder {
  readonly #events: FrameEvents;
  /** Buffers a header, then an envelope, of which a chunk has only a part. */
  #buffer = new Uint8Array(HEADER_BYTES);
  #buffered = 0;
  /** Zero until the header was read: no envelope has that length. */
  #jsonLength = 0;
  #bodyLength = 0;
  #bodyLeft = 0;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /** Frees the buffer: no further bytes arrive. */
  release(): void {
    this.#resize(HEADER_BYTES);
    this.#buffered = 0;
  }

  /**
   * Takes the next bytes.
   * @throws SallyportError `frame_too_large` or `protocol_violation`; the decoder cannot be used afterwards.
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
    // A large envelope must not leave its buffer to the connection.
    this.#resize(HEADER_BYTES);
    return whole.next;
  }

  /** Collects `length` bytes: in the chunk itself if it has all of them, else in the buffer. */
  #collect(chunk: Uint8Array, offset: number, length: number): Collected | undefined {
    const available = chunk.byteLength - offset;
    if (this.#buffered === 0 && available >= length) {
      return { bytes: chunk, start: offset, next: offset + length };
    }
    if (this.#buffer.byteLength < length) this.#resize(length);
    const taken = Math.min(available, length - this.#buffered);
    this.#buffer.set(chunk.subarray(offset, offset + taken), this.#buffered);
    this.#buffered += taken;
    if (this.#buffered < length) return undefined;
    this.#buffered = 0;
    return { bytes: this.#buffer, start: 0, next: offset + taken };
  }

  /** Resizes the buffer, which must be empty. */
  #resize(length: number): void {
    const before = this.#buffer.byteLength;
    if (before === length) return;
    this.#buffer = new Uint8Array(length);
    this.#events.held?.(length - before);
  }
}

interface Collected {
  bytes: Uint8Array;
  start: number;
  next: number;
}

const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/** Writes frames into one buffer, so that many are sent with a single write. */
export class FrameEncoder {
  #buffer: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  /** @param buffer Where frames are written; a larger one is allocated when a frame does not fit. */
  constructor(buffer: Uint8Array<ArrayBuffer>) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** The frames written so far: a view of the buffer, not a copy. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Returns the buffer, for another encoder. */
  release(): Uint8Array<ArrayBuffer> {
    return this.#buffer;
  }

  /** Appends a frame and returns its length in bytes. */
  append(json: string | Uint8Array, body: Uint8Array = NO_BYTES): number {
    const start = this.#length;
    // UTF-8 needs at most three bytes for one UTF-16 unit.
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
    const larger = new Uint8Array(Math.max(needed, this.#buffer.byteLength * 2));
    larger.set(this.bytes);
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
  }
}
