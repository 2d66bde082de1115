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
export const PROTOCOL_VERSION = 2;

/** The most credit that a stream's direction may have, in bytes (SPEC.md 5.1). */
export const MAX_WINDOW = 16_777_216;
/** The most links of a session (SPEC.md 3.9). */
export const MAX_LINKS = 8;

/** The most interim answers of one stream (SPEC.md 4.3). */
export const MAX_INTERIM = 32;

/** Names and values, alternating, in received order and case (SPEC.md 2.6). */
export type HeaderList = string[];

/**
 * The host under which a server answers itself, so that an agent can measure the path (SPEC.md 4.7). Such a name never
 * resolves (RFC 6761 section 6.4).
 */
export const SPEED_HOST = "speed.sallyport.invalid";

/** The most bytes of one answer of {@linkcode SPEED_HOST}. */
export const MAX_SPEED_BYTES = 16_777_216;

const streamId = integer(1);
/** 128 random bits (SPEC.md 3.6). */
const sessionKey = textOf("32 lower-case hexadecimal digits", /^[0-9a-f]{32}$/, 32);
/** Refuses characters that could end the host and start something else; existence and rules are checked elsewhere. */
const host = textOf("a host name or an address", /^[A-Za-z0-9._~%:-]+$/, 255, 1);
const method = textOf("a token", TOKEN, 64, 1);
/** Origin form or asterisk form (RFC 9112 section 3.2), without spaces, control characters or bytes above 0x7e. */
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

/** Payloads of link and session messages (SPEC.md 3). */
const SESSION_SHAPES = {
  hello: ofThisVersion(object({
    version: integer(0),
    software: text(128),
    window: integer(1, MAX_WINDOW),
    max_streams: integer(0),
    id: optional(text(64)),
    session: optional(sessionKey),
    link: optional(integer(1)),
    join: optional(flag),
  })),
  window: object({ stream: streamId, total: integer(1) }),
  ack: object({ bytes: integer(0) }),
  reset: object({ stream: streamId, code, message: optional(message) }),
  ping: object({ nonce: integer(0) }),
  pong: object({ nonce: integer(0) }),
  goaway: object({ code, message: optional(message), last_stream: integer(0) }),
  status: object({ agents: integer(0), streams: integer(0) }),
};

/** Payloads of stream messages, without `stream`, `n`, `end` and `trailers` (SPEC.md 4.2). */
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

/** Members that every message of a stream may have in addition to its own (SPEC.md 4.2). */
const STREAM_FRAME = object({
  stream: streamId,
  n: integer(0),
  end: optional(flag),
  trailers: optional(headerList),
});

type Message<Shapes, T extends keyof Shapes> = T extends keyof Shapes
  ? { type: T; payload: Checked<Shapes[T]> }
  : never;

/** The type of a session message. */
export type SessionType = keyof typeof SESSION_SHAPES;
/** The type of a stream's message. */
export type StreamType = keyof typeof STREAM_SHAPES;
/** The type of a message that opens a stream. */
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
/** Why a target was not reached, as sent on the wire. */
export type WireError = Checked<typeof wireError>;
/** `stream`, `n`, `end` and `trailers` of a stream's message. */
type StreamFrame = Checked<typeof STREAM_FRAME>;

/** Whether `type` is that of a session message. */
export function isSessionType(type: string): type is SessionType {
  return Object.hasOwn(SESSION_SHAPES, type);
}

/** Whether `type` is that of a stream's message. */
export function isStreamType(type: string): type is StreamType {
  return Object.hasOwn(STREAM_SHAPES, type);
}

/** Whether a message opens a stream. */
export function isOpening(message: StreamMessage): message is OpeningMessage {
  return message.type === "connect_request" || message.type === "http_request" ||
    message.type === "websocket_open";
}

/** The type of the messages of plain bytes on a stream with this opening message. */
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

/** Checks the members that every message of a stream may have; throws `protocol_violation`. */
export function readStreamFrame(type: StreamType, payload: unknown): StreamFrame {
  return STREAM_FRAME(payload, type);
}

/** A target's answer is complete, or there is an error instead (SPEC.md 4.2). */
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

/** Checks the version first: the `hello` of another version may have other members. */
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
