import { SallyportError } from "../errors.ts";
import { decodeEnvelope } from "../protocol/envelope.ts";
import {
  type HeaderList,
  isSessionType,
  isStreamType,
  readSessionMessage,
  readStreamFrame,
  readStreamMessage,
  type SessionMessage,
  type StreamMessage,
} from "../protocol/messages.ts";
import { NumberEnvelope } from "./number_envelope.ts";

/** A message of a stream, checked. */
export interface IncomingStreamMessage {
  kind: "stream";
  /** The stream's id. */
  id: number;
  message: StreamMessage;
  /** Whether its sender's direction ends with it. */
  end: boolean;
  trailers: HeaderList | undefined;
}

/** What an envelope turned out to be. */
export type Incoming =
  | { kind: "session"; message: SessionMessage }
  | IncomingStreamMessage
  /** Of a type that this version does not know; `id` if it names a stream (SPEC.md 3.3). */
  | { kind: "unknown"; type: string; id: number | undefined };

const ACK = new NumberEnvelope("ack", "bytes");
/** Plain bytes, by the type that carries them: nearly all frames of a busy connection. */
const PLAIN_BYTES = (["connect_data", "websocket_message"] as const).map((type) => ({
  envelope: new NumberEnvelope(type, "stream"),
  message: Object.freeze({ type, payload: Object.freeze({}) }) satisfies StreamMessage,
}));

/** Reads an envelope and checks its type and payload; throws `protocol_violation`. */
export function readIncoming(json: Uint8Array): Incoming {
  return readFrequent(json) ?? readAny(json);
}

/** Reads the messages that come all the time, as this software writes them. */
function readFrequent(json: Uint8Array): Incoming | undefined {
  for (const { envelope, message } of PLAIN_BYTES) {
    const id = envelope.read(json);
    if (id !== undefined && id > 0) return { kind: "stream", id, message, end: false, trailers: undefined };
  }
  const bytes = ACK.read(json);
  return bytes === undefined ? undefined : { kind: "session", message: { type: "ack", payload: { bytes } } };
}

function readAny(json: Uint8Array): Incoming {
  const { type, payload } = decodeEnvelope(json);
  if (isStreamType(type)) {
    const { stream, end, trailers } = readStreamFrame(type, payload);
    const ends = end === true || type === "websocket_close";
    return { kind: "stream", id: stream, message: readStreamMessage(type, payload), end: ends, trailers };
  }
  if (isSessionType(type)) return { kind: "session", message: readSessionMessage(type, payload) };
  if (!Object.hasOwn(payload, "stream")) return { kind: "unknown", type, id: undefined };
  const id = (payload as { stream: unknown }).stream;
  if (typeof id === "number" && Number.isSafeInteger(id) && id > 0) return { kind: "unknown", type, id };
  throw new SallyportError(
    "protocol_violation",
    `Cannot read message of an unknown type: stream is ${typeof id}`,
  );
}
