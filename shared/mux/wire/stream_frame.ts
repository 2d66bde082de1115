import type { HeaderList, StreamMessage } from "../../protocol/messages.ts";

/** A message of a stream with what its frame says about it (SPEC.md 4.2); its body is separate. */
export interface StreamFrame {
  /** The stream's id. */
  readonly id: number;
  /** The message's number in its direction of the stream (SPEC.md 4.8). */
  readonly n: number;
  readonly message: StreamMessage;
  /** Whether its sender's direction ends with it. */
  readonly end: boolean;
  /** Only with the end. */
  readonly trailers: HeaderList | undefined;
}

/** Types of the messages of plain bytes. */
type PlainType = "connect_data" | "websocket_message";

const PLAIN: Readonly<Record<PlainType, StreamMessage>> = {
  connect_data: Object.freeze({ type: "connect_data", payload: Object.freeze({}) }),
  websocket_message: Object.freeze({ type: "websocket_message", payload: Object.freeze({}) }),
};

/** The message of plain bytes of this type: one object, since nearly all frames of a busy link carry it. */
export function plainBytes(type: PlainType): StreamMessage {
  return PLAIN[type];
}

/** The envelope of a frame. */
export function encodeStreamFrame({ id, n, message, end, trailers }: StreamFrame): string {
  const { type, payload } = message;
  if (!end && message === PLAIN[type as PlainType]) {
    return `{"type":"${type}","payload":{"stream":${id},"n":${n}}}`;
  }
  return JSON.stringify({
    type,
    payload: { stream: id, n, ...payload, end: end ? true : undefined, trailers: end ? trailers : undefined },
  });
}
