import { SallyportError } from "../errors.ts";
import {
  type Checked,
  FIELD_TEXT,
  flag,
  headerList,
  integer,
  object,
  optional,
  type Shape,
  text,
  textOf,
  TOKEN,
} from "./shape.ts";

/** Version of the wire protocol (SPEC.md 3.1). */
export const PROTOCOL_VERSION = 1;

/** The most credit that a stream's direction may have, in bytes (SPEC.md 5.1). */
export const MAX_WINDOW = 16_777_216;

/** Interim answers that one stream may have (SPEC.md 4.3). */
export const MAX_INTERIM = 32;

/** Names and values in turn, in received order and case (SPEC.md 2.6). */
export type HeaderList = string[];

const streamId = integer(1);
/** Whether it exists, or is allowed, is not judged here: what could end a name and begin something else is. */
const host = textOf("a host name or an address", /^[A-Za-z0-9._~%:-]+$/, 255, 1);
const method = textOf("a token", TOKEN, 64, 1);
/** Origin form or asterisk form (RFC 9112 section 3.2): no blank, control character or byte above 0x7e. */
const path = textOf('"*" or a path of visible ASCII', /^(?:\/[\x21-\x7e]*|\*)$/, 65_536, 1);
const port = integer(1, 65_535);
const message = text(1_024);
const code = text(64);
const wireError = object({ code, message });
const target = { host, port };
const responseHead = answer(object({
  status: optional(integer(100, 999)),
  reason: optional(textOf("bytes without control characters", FIELD_TEXT, 1_024)),
  headers: optional(headerList),
  error: optional(wireError),
}));

/** Payloads of the session's own messages (SPEC.md 3). */
const SESSION_SHAPES = {
  hello: ofThisVersion(object({
    version: integer(0),
    software: text(128),
    window: integer(1, MAX_WINDOW),
    max_streams: integer(0),
    id: optional(text(64)),
  })),
  window: object({ stream: streamId, bytes: integer(1, MAX_WINDOW) }),
  ack: object({ bytes: integer(0) }),
  reset: object({ stream: streamId, code, message: optional(message) }),
  ping: object({ nonce: integer(0) }),
  pong: object({ nonce: integer(0) }),
  goaway: object({ code, message: optional(message), last_stream: integer(0) }),
  status: object({ agents: integer(0), streams: integer(0) }),
};

/** Payloads of a stream's messages, without `stream`, `end` and `trailers` (SPEC.md 4.2). */
const STREAM_SHAPES = {
  connect_request: object(target),
  connect_ack: object({ error: optional(wireError) }),
  connect_data: object({}),
  http_request: object({ method, ...target, path, headers: headerList }),
  http_response: responseHead,
  websocket_open: object({ ...target, path, headers: headerList }),
  websocket_ack: responseHead,
  websocket_message: object({}),
  websocket_close: object({}),
};

/** What every message of a stream may carry beside its own payload (SPEC.md 4.2). */
const STREAM_FRAME = object({
  stream: streamId,
  end: optional(flag),
  trailers: optional(headerList),
});

type Message<Shapes, T extends keyof Shapes> = T extends keyof Shapes
  ? { type: T; payload: Checked<Shapes[T]> }
  : never;

/** The name of a session message. */
export type SessionType = keyof typeof SESSION_SHAPES;
/** The name of a stream's message. */
export type StreamType = keyof typeof STREAM_SHAPES;
/** The stream messages that open a stream. */
export type OpeningType = "connect_request" | "http_request" | "websocket_open";

/** Any session message. */
export type SessionMessage = Message<typeof SESSION_SHAPES, SessionType>;
/** Any message of a stream. */
export type StreamMessage = Message<typeof STREAM_SHAPES, StreamType>;
/** A message that opens a stream. */
export type OpeningMessage = Message<typeof STREAM_SHAPES, OpeningType>;
/** The payload of the message of type `T`. */
export type Payload<T extends SessionType | StreamType> = T extends SessionType
  ? Checked<typeof SESSION_SHAPES[T]>
  : T extends StreamType ? Checked<typeof STREAM_SHAPES[T]>
  : never;
/** Why a target was not reached, as it travels. */
export type WireError = Checked<typeof wireError>;
/** `stream`, `end` and `trailers` of a stream's message. */
export type StreamFrame = Checked<typeof STREAM_FRAME>;

/** Tells whether `type` is a message of the session itself. */
export function isSessionType(type: string): type is SessionType {
  return Object.hasOwn(SESSION_SHAPES, type);
}

/** Tells whether `type` is a message of a stream. */
export function isStreamType(type: string): type is StreamType {
  return Object.hasOwn(STREAM_SHAPES, type);
}

/** Tells whether a message opens a stream. */
export function isOpening(message: StreamMessage): message is OpeningMessage {
  return message.type === "connect_request" || message.type === "http_request" ||
    message.type === "websocket_open";
}

/** The type that carries plain bytes on a stream that `opening` opened. */
export function dataTypeOf(opening: OpeningType): "connect_data" | "websocket_message" {
  return opening === "websocket_open" ? "websocket_message" : "connect_data";
}

/** Checks a session message's payload; throws `protocol_violation`, or `version_unsupported` for a `hello`. */
export function readSessionMessage(type: SessionType, payload: unknown): SessionMessage {
  return { type, payload: SESSION_SHAPES[type](payload, type) } as SessionMessage;
}

/** Checks a stream message's own payload; throws `protocol_violation`. */
export function readStreamMessage(type: StreamType, payload: unknown): StreamMessage {
  return { type, payload: STREAM_SHAPES[type](payload, type) } as StreamMessage;
}

/** Checks what every message of a stream carries; throws `protocol_violation`. */
export function readStreamFrame(type: StreamType, payload: unknown): StreamFrame {
  return STREAM_FRAME(payload, type);
}

/** A target's answer is whole, or there is an error in its place (SPEC.md 4.2). */
function answer<T extends { status?: number; reason?: string; headers?: HeaderList; error?: object }>(
  shape: Shape<T>,
): Shape<T> {
  return (value, where) => {
    const head = shape(value, where);
    const members = [head.status, head.reason, head.headers];
    const fits = members.every((member) => (member === undefined) === (head.error !== undefined));
    if (fits) return head;
    throw new SallyportError(
      "protocol_violation",
      `Cannot read ${where}: expected status, reason and headers, or error alone`,
    );
  };
}

/** Looks at the version first: the `hello` of another one may have other members. */
function ofThisVersion<T>(shape: Shape<T>): Shape<T> {
  return (value, where) => {
    const { version } = object({ version: integer(0) })(value, where);
    if (version === PROTOCOL_VERSION) return shape(value, where);
    throw new SallyportError(
      "version_unsupported",
      `Cannot speak version ${version}: this end speaks ${PROTOCOL_VERSION}`,
    );
  };
}
