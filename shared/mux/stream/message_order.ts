import { dataTypeOf, MAX_INTERIM, type OpeningType, type StreamMessage } from "../../protocol/messages.ts";
import type { IncomingStreamMessage } from "../wire/incoming.ts";

/** The type that answers each way to open a stream. */
const ANSWERS = {
  connect_request: "connect_ack",
  http_request: "http_response",
  websocket_open: "websocket_ack",
} as const satisfies Record<OpeningType, StreamMessage["type"]>;

type Answer = Extract<StreamMessage, { type: typeof ANSWERS[OpeningType] }>;

/** Checks the order of the peer's messages on a stream (SPEC.md 4.2, 4.3). */
export class MessageOrder {
  readonly #dataType: StreamMessage["type"];
  readonly #answerType: Answer["type"];
  /** What the peer has to send next. */
  #expected: "opening" | "answer" | "bytes";
  #interim = 0;

  /** @param own Whether this end opens the stream, so that the peer answers. */
  constructor(opening: OpeningType, own: boolean) {
    this.#dataType = dataTypeOf(opening);
    this.#answerType = ANSWERS[opening];
    this.#expected = own ? "answer" : "opening";
  }

  /** Takes the peer's next message. Returns how it breaks the order; undefined when it does not. */
  check(incoming: IncomingStreamMessage, bodyLength: number): string | undefined {
    const { message: { type }, end, trailers } = incoming;
    if (trailers !== undefined && !end) return `${type} has trailers without end`;
    if (this.#expected === "opening") {
      this.#expected = "bytes";
      return undefined;
    }
    if (this.#expected === "answer") return this.#checkAnswer(incoming, bodyLength);
    if (type === this.#dataType) return undefined;
    if (type !== "websocket_close" || this.#dataType !== "websocket_message") {
      return `${type} is out of place`;
    }
    return bodyLength > 0 ? "websocket_close has a body" : undefined;
  }

  #checkAnswer({ message, end }: IncomingStreamMessage, bodyLength: number): string | undefined {
    if (message.type !== this.#answerType) return `${message.type} came before ${this.#answerType}`;
    const { error, status } = (message as Answer).payload as { error?: object; status?: number };
    if (error !== undefined) {
      if (!end || bodyLength > 0) return `${message.type} with an error is not the end`;
    } else if (isInterim(status)) {
      if (end || bodyLength > 0) return `${message.type} of status ${status} has a body or an end`;
      return ++this.#interim > MAX_INTERIM ? `more than ${MAX_INTERIM} interim answers` : undefined;
    } else if (status === 101 && message.type === "http_response") {
      return "http_response has status 101";
    }
    this.#expected = "bytes";
    return undefined;
  }
}

/** SPEC.md 4.3; a `connect_ack` has no status. */
function isInterim(status: number | undefined): boolean {
  return status !== undefined && status < 200 && status !== 101;
}
