import { quote } from "../../text/sanitize.ts";
import { Buffer } from "node:buffer";
import { SallyportError } from "../../errors.ts";
import { FIELD_TEXT } from "../../protocol/shape.ts";
import { canonicalHead, canonicalTrailers, type Framing, invalidResponse } from "./canonical_head.ts";
import { FilterOutput, HeldBytes, MAX_HEAD_BYTES } from "./filter_buffers.ts";
import { latin1 } from "../../text/latin1.ts";

/**
 * Interim responses that are read, although most are dropped. They are counted here, because a parser continues with
 * what it was given when its socket is destroyed: one read may hold thousands.
 */
const MAX_INTERIM_READ = 128;
/** Bytes of a chunk's size with its extensions. */
const MAX_SIZE_LINE = 4_096;
/** What a head begins with; anything else is refused without waiting for its end. */
const BEGINNING = Buffer.from("HTTP/1.");
/** RFC 9112 section 7.1; old origins pad the size with blanks (BWS, section 7.1.1). Its line ends in CRLF only. */
const SIZE_LINE = /^0*([0-9a-f]{1,14})[ \t]*(;.*)?\r$/is;
const PLAIN_SIZE_LINE = /^[0-9a-f]{1,14}\r$/i;
const [CR, LF] = [0x0d, 0x0a];

type State = "head" | "bytes" | "size" | "chunk" | "chunk CR" | "chunk LF" | "trailers" | "rest" | "over";

/**
 * Comes before the strict parser of node:http: turns an origin's lenient response into a strict one, and ends it where
 * its framing says, so that what follows is not part of any response. Bodies are not copied.
 *
 * Bare LF ends lines of heads and trailers (RFC 9112 section 2.2), but never those of chunks: programs disagree on a
 * bare LF there.
 */
export class ResponseFilter {
  #state: State = "head";
  #headOnly = false;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  readonly #held = new HeldBytes();
  /** Bytes of {@linkcode BEGINNING} that were seen, and bytes of empty lines before them. */
  #begun = 0;
  #leading = 0;
  /** Bytes of the current line. */
  #lineBytes = 0;
  #lastByte = 0;
  #sizeLine = "";
  #interim = 0;
  #reusable = true;
  #exceeded = false;
  #failure: SallyportError | undefined;

  /** Called once for each exchange, when bytes come after the response. */
  onExcess: () => void = () => {};

  /** Charges what waits for the end of a head or of trailers to `charge`, from now until the exchange is over. */
  chargeTo(charge: (bytes: number) => void): void {
    this.#held.chargeTo(charge);
  }

  /** Whether another request may be sent after the response. */
  get reusable(): boolean {
    return this.#reusable && !this.#exceeded;
  }

  /** Whether bytes came after the response; they were dropped. */
  get exceeded(): boolean {
    return this.#exceeded;
  }

  /** Why nothing more is passed on: `target_protocol`. */
  get failure(): SallyportError | undefined {
    return this.#failure;
  }

  /** Begins to read the response to a request. */
  begin(method: string | undefined): void {
    this.#headOnly = method === "HEAD";
    this.onExcess = () => {};
    this.#interim = 0;
    this.#beginHead();
    this.chargeTo(() => {});
  }

  /** Returns what the parser is given for these bytes. */
  take(bytes: Uint8Array): Uint8Array[] {
    const output = new FilterOutput(bytes);
    try {
      let at = 0;
      while (at < bytes.length && this.#failure === undefined) at = this.#step(bytes, at, output);
    } catch (reason) {
      this.#failure = SallyportError.from(reason);
    }
    return output.end();
  }

  #step(bytes: Uint8Array, at: number, output: FilterOutput): number {
    switch (this.#state) {
      case "head":
        return this.#head(bytes, at, output);
      case "bytes":
      case "chunk":
        return this.#body(bytes, at, output);
      case "size":
        return this.#size(bytes, at, output);
      case "chunk CR":
      case "chunk LF":
        return this.#chunkEnd(bytes, at, output);
      case "trailers":
        return this.#trailers(bytes, at, output);
      case "rest":
        output.keep(at, bytes.length);
        return bytes.length;
      case "over":
        return this.#excess(bytes);
    }
  }

  #beginHead(): void {
    this.#state = "head";
    this.#begun = 0;
    this.#leading = 0;
    this.#beginLines();
  }

  #beginLines(): void {
    this.#held.clear();
    this.#lineBytes = 0;
    this.#lastByte = 0;
  }

  #head(bytes: Uint8Array, at: number, output: FilterOutput): number {
    at = this.#requireBeginning(bytes, at);
    const end = this.#endOfLines(bytes, at);
    const raw = this.#gather(bytes, at, end);
    if (raw === undefined) return bytes.length;
    const { text, status, framing, reusable } = canonicalHead(raw, this.#headOnly);
    if (!reusable) this.#reusable = false;
    if (status < 200 && framing === 0) {
      if (++this.#interim > MAX_INTERIM_READ) {
        throw invalidResponse(`more than ${MAX_INTERIM_READ} interim responses`);
      }
      this.#beginHead();
    } else this.#beginBody(framing);
    output.rewrite(raw, text, at, end);
    return end;
  }

  /** Skips empty lines, which a sloppy origin leaves behind the last body, and returns where the head begins. */
  #requireBeginning(bytes: Uint8Array, at: number): number {
    let first = at;
    for (let i = at; i < bytes.length && this.#begun < BEGINNING.length; i++) {
      const byte = bytes[i]!;
      if (this.#begun === 0 && (byte === LF || byte === CR && this.#lastByte !== CR)) {
        if (++this.#leading > MAX_HEAD_BYTES) throw invalidResponse("it begins with too many empty lines");
        this.#lastByte = byte;
        first = i + 1;
      } else if (byte === BEGINNING[this.#begun] && (this.#begun > 0 || this.#lastByte !== CR)) this.#begun++;
      else throw invalidResponse("it does not begin as HTTP/1.1 or HTTP/1.0 does");
    }
    return first;
  }

  /** The end of the empty line that ends the section, or -1. */
  #endOfLines(bytes: Uint8Array, at: number): number {
    for (;;) {
      const end = bytes.indexOf(LF, at);
      if (end < 0) break;
      const length = this.#lineBytes + end - at;
      const last = end > at ? bytes[end - 1] : this.#lastByte;
      this.#lineBytes = 0;
      at = end + 1;
      const empty = length === 0 || length === 1 && last === CR;
      if (empty) return at;
    }
    this.#lineBytes += bytes.length - at;
    this.#lastByte = bytes[bytes.length - 1]!;
    return -1;
  }

  /** The lines up to their end, if it has arrived. */
  #gather(bytes: Uint8Array, at: number, end: number): string | undefined {
    const piece = bytes.subarray(at, end < 0 ? bytes.length : end);
    if (this.#held.length + piece.length > MAX_HEAD_BYTES) {
      throw invalidResponse(`its head or trailer section has more than ${MAX_HEAD_BYTES} bytes`);
    }
    if (end >= 0 && this.#held.length === 0) return latin1(piece);
    this.#held.add(piece);
    return end < 0 ? undefined : this.#held.take();
  }

  #beginBody(framing: Framing): void {
    this.#beginLines();
    if (framing === "chunked") this.#beginSize();
    else if (framing === "connection" || framing === "switched") this.#state = "rest";
    else this.#expect("bytes", framing, "over");
  }

  #beginSize(): void {
    this.#state = "size";
    this.#sizeLine = "";
  }

  #expect(state: "bytes" | "chunk", length: number, otherwise: State): void {
    this.#left = length;
    this.#state = length > 0 ? state : otherwise;
  }

  #body(bytes: Uint8Array, at: number, output: FilterOutput): number {
    const end = Math.min(bytes.length, at + this.#left);
    output.keep(at, end);
    this.#left -= end - at;
    if (this.#left === 0) this.#state = this.#state === "chunk" ? "chunk CR" : "over";
    return end;
  }

  #size(bytes: Uint8Array, at: number, output: FilterOutput): number {
    const lf = bytes.indexOf(LF, at);
    const end = lf < 0 ? bytes.length : lf;
    if (this.#sizeLine.length + end - at > MAX_SIZE_LINE) throw invalidResponse("a chunk's size is too long");
    const whole = this.#sizeLine === "";
    this.#sizeLine += latin1(bytes.subarray(at, end));
    if (lf < 0) {
      // What can no longer become a size is refused at once.
      if (!/^[0-9a-f]/i.test(this.#sizeLine)) throw badSize(this.#sizeLine);
      return end;
    }
    const size = sizeOf(this.#sizeLine);
    if (whole && PLAIN_SIZE_LINE.test(this.#sizeLine)) output.keep(at, lf + 1);
    else output.add(`${size.toString(16)}\r\n`);
    this.#expect("chunk", size, "trailers");
    return lf + 1;
  }

  #chunkEnd(bytes: Uint8Array, at: number, output: FilterOutput): number {
    const isFirst = this.#state === "chunk CR";
    if (bytes[at] !== (isFirst ? CR : LF)) throw invalidResponse("a chunk does not end where it should");
    output.keep(at, at + 1);
    if (isFirst) this.#state = "chunk LF";
    else this.#beginSize();
    return at + 1;
  }

  #trailers(bytes: Uint8Array, at: number, output: FilterOutput): number {
    const end = this.#endOfLines(bytes, at);
    const raw = this.#gather(bytes, at, end);
    if (raw === undefined) return bytes.length;
    output.rewrite(raw, canonicalTrailers(raw), at, end);
    this.#state = "over";
    return end;
  }

  #excess(bytes: Uint8Array): number {
    this.#exceeded = true;
    const { onExcess } = this;
    this.onExcess = () => {};
    onExcess();
    return bytes.length;
  }
}

function sizeOf(line: string): number {
  const match = SIZE_LINE.exec(line);
  if (!match || !FIELD_TEXT.test(match[2] ?? "")) throw badSize(line);
  const size = Number.parseInt(match[1]!, 16);
  if (!Number.isSafeInteger(size)) throw badSize(line);
  return size;
}

function badSize(line: string): SallyportError {
  return invalidResponse(`a chunk's size is ${quote(line, 40)}`);
}
