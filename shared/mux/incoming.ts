import { SallyportError } from "../errors.ts";
import type { Envelope } from "../protocol/envelope.ts";
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
  | { kind: "unknown"; id: number | undefined };

/** Checks an envelope's type and payload; throws `protocol_violation`. */
export function readIncoming(envelope: Envelope): Incoming {
  const { type, payload } = envelope;
  if (isStreamType(type)) {
    const { stream, end, trailers } = readStreamFrame(type, payload);
    const ends = end === true || type === "websocket_close";
    return { kind: "stream", id: stream, message: readStreamMessage(type, payload), end: ends, trailers };
  }
  if (isSessionType(type)) return { kind: "session", message: readSessionMessage(type, payload) };
  if (!Object.hasOwn(payload, "stream")) return { kind: "unknown", id: undefined };
  const id = (payload as { stream: unknown }).stream;
  if (typeof id === "number" && Number.isSafeInteger(id) && id > 0) return { kind: "unknown", id };
  throw new SallyportError(
    "protocol_violation",
    `Cannot read message of an unknown type: stream is ${typeof id}`,
  );
}
