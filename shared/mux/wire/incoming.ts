import { SallyportError } from "../../errors.ts";
import { decodeEnvelope } from "../../protocol/envelope.ts";
import {
  isSessionType,
  isStreamType,
  readSessionMessage,
  readStreamFrame,
  readStreamMessage,
  type SessionMessage,
} from "../../protocol/messages.ts";
import { plainBytes, type StreamFrame } from "./stream_frame.ts";

/** More digits might not be exact (ECMA-262, Number.MAX_SAFE_INTEGER). */
const MAX_DIGITS = 15;
const DIGIT_ZERO = 48;
const DIGIT_NINE = 57;

/** A checked message of a stream. */
export interface IncomingStreamMessage extends StreamFrame {
  kind: "stream";
}

/** A checked message, by its kind. */
export type Incoming =
  | { kind: "session"; message: SessionMessage }
  | IncomingStreamMessage
  /** Of a type that this version does not know; with `id` if it names a stream (SPEC.md 3.3). */
  | { kind: "unknown"; type: string; id: number | undefined };

/**
 * Recognises an envelope whose payload consists of whole numbers, written without spaces, such as
 * `{"type":"ack","payload":{"bytes":1}}`: it compares bytes, which is much faster than a JSON parser.
 */
export class NumbersEnvelope {
  /** What stands before each number, and after the last. */
  readonly #texts: readonly Uint8Array[];

  /**
   * @param type The message's type.
   * @param members The payload's members, in order.
   */
  constructor(type: string, members: readonly string[]) {
    const before = members.map((member, index) => `${index === 0 ? "" : ","}"${member}":`);
    before[0] = `{"type":"${type}","payload":{${before[0]}`;
    this.#texts = [...before, "}}"].map((text) => encoder.encode(text));
  }

  /** Reads the numbers; undefined for any other text, which may still be an equivalent envelope. */
  read(json: Uint8Array): number[] | undefined {
    const numbers: number[] = [];
    let at = 0;
    for (const text of this.#texts) {
      if (at > 0) {
        const end = endOfDigits(json, at);
        // JSON has no leading zeros.
        if (end === at || end - at > MAX_DIGITS || json[at] === DIGIT_ZERO && end - at > 1) return undefined;
        numbers.push(numberOf(json, at, end));
        at = end;
      }
      for (let i = 0; i < text.length; i++) {
        if (json[at + i] !== text[i]) return undefined;
      }
      at += text.length;
    }
    return at === json.length ? numbers : undefined;
  }
}

function endOfDigits(json: Uint8Array, start: number): number {
  let end = start;
  while (end < json.length && json[end]! >= DIGIT_ZERO && json[end]! <= DIGIT_NINE) end++;
  return end;
}

function numberOf(json: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + json[i]! - DIGIT_ZERO;
  return value;
}

const encoder = new TextEncoder();
const ACK = new NumbersEnvelope("ack", ["bytes"]);
/** Messages of plain bytes, by type: nearly all frames of a busy link. */
const PLAIN_BYTES = (["connect_data", "websocket_message"] as const).map((type) => ({
  envelope: new NumbersEnvelope(type, ["stream", "n"]),
  message: plainBytes(type),
}));

/** Reads an envelope and checks its type and payload; throws `protocol_violation`. */
export function readIncoming(json: Uint8Array): Incoming {
  return readFrequent(json) ?? readAny(json);
}

/** Reads the most frequent messages, in the form in which this software writes them. */
function readFrequent(json: Uint8Array): Incoming | undefined {
  for (const { envelope, message } of PLAIN_BYTES) {
    const [id = 0, n = 0] = envelope.read(json) ?? [];
    if (id > 0) return { kind: "stream", id, n, message, end: false, trailers: undefined };
  }
  const [bytes] = ACK.read(json) ?? [];
  return bytes === undefined ? undefined : { kind: "session", message: { type: "ack", payload: { bytes } } };
}

function readAny(json: Uint8Array): Incoming {
  const { type, payload } = decodeEnvelope(json);
  if (isStreamType(type)) {
    const { stream: id, n, end, trailers } = readStreamFrame(type, payload);
    const ends = end === true || type === "websocket_close";
    return { kind: "stream", id, n, message: readStreamMessage(type, payload), end: ends, trailers };
  }
  if (isSessionType(type)) return { kind: "session", message: readSessionMessage(type, payload) };
  if (!Object.hasOwn(payload, "stream")) return { kind: "unknown", type, id: undefined };
  const id = (payload as { stream: unknown }).stream;
  if (typeof id === "number" && Number.isSafeInteger(id) && id > 0) return { kind: "unknown", type, id };
  throw new SallyportError(
    "protocol_violation",
    "Cannot read message of unknown type: stream is not a positive integer",
  );
}

/** The `protocol_violation` for a message of the peer; it ends the session (SPEC.md 4.4). */
export function protocolViolation(problem: string): SallyportError {
  return new SallyportError("protocol_violation", `Cannot accept message: ${problem}`);
}
