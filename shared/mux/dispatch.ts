import { SallyportError } from "../errors.ts";
import { isOpening, type SessionMessage } from "../protocol/messages.ts";
import type { Acknowledger } from "./acknowledger.ts";
import { FrameDecoder } from "./codec.ts";
import { type IncomingStreamMessage, readIncoming } from "./incoming.ts";
import type { MuxStream } from "./stream.ts";
import type { StreamTable } from "./stream_table.ts";
import type { Patience } from "./patience.ts";
import { violation } from "./violation.ts";

/** An `ack` or `window` of fewer bytes says little (SPEC.md 3.5). */
const WORTHWHILE_BYTES = 4_096;

/** A session message that is not about one stream. */
export type ConnectionMessage = Exclude<SessionMessage, { type: "window" | "reset" }>;

/** Where messages go. */
export interface DispatchInit {
  /** The streams that messages are for. */
  streams: StreamTable;
  /** Counts what was read of streams (SPEC.md 5.2). */
  acknowledger: Acknowledger;
  /** Borne of messages that change nothing. */
  patience: Patience;
  /** A message came that concerns the connection as a whole; may throw a violation. */
  message(message: ConnectionMessage): void;
  /** The peer opened a stream. */
  opened(stream: MuxStream): void;
}

/** The reading half of a session: takes the connection's bytes apart and brings each message where it belongs. */
export class Dispatch {
  readonly #init: DispatchInit;
  readonly #decoder: FrameDecoder;
  /** Whether the first message came (SPEC.md 3.1). */
  #greeted = false;
  #stopped = false;
  /** The total of the last `ack`. */
  #acked = 0;
  /** The message whose body is arriving; undefined when nobody wants it. */
  #current: IncomingStreamMessage | undefined;

  constructor(init: DispatchInit) {
    this.#init = init;
    this.#decoder = new FrameDecoder({
      head: (json, bodyLength, headBytes) => this.#head(json, bodyLength, headBytes),
      body: (part, last) => this.#body(part, last),
    });
  }

  /**
   * Takes the next bytes of the connection.
   * @throws SallyportError a violation that ends the connection.
   */
  push(bytes: Uint8Array): void {
    if (this.#stopped) return;
    this.#decoder.push(bytes);
    this.#init.acknowledger.settle();
  }

  /** Reads nothing more, not even the rest of the bytes at hand. */
  stop(): void {
    this.#stopped = true;
  }

  #head(json: Uint8Array, bodyLength: number, headBytes: number): void {
    this.#current = undefined;
    if (this.#stopped) return;
    const incoming = readIncoming(json);
    const type = incoming.kind === "unknown" ? incoming.type : incoming.message.type;
    this.#greet(type);
    const ofStream = incoming.kind === "stream" || incoming.kind === "unknown" && incoming.id !== undefined;
    if (!ofStream && bodyLength > 0) throw violation(`${type} has a body but no stream`);
    if (ofStream) this.#init.acknowledger.count(headBytes);
    if (incoming.kind === "stream") this.#streamMessage(incoming, bodyLength);
    else if (incoming.kind === "session") this.#sessionMessage(incoming.message);
    else {
      this.#init.patience.spend();
      if (incoming.id !== undefined) this.#init.streams.refuseUnknown(incoming.id);
    }
  }

  /** The first message is `hello`, or a `goaway` in its place, and there is no second `hello` (SPEC.md 3.1). */
  #greet(type: string): void {
    if (this.#greeted) {
      if (type === "hello") throw violation("a second hello");
      return;
    }
    if (type !== "hello" && type !== "goaway") throw violation(`${type} came before hello`);
    this.#greeted = true;
  }

  #sessionMessage(message: SessionMessage): void {
    if (this.#saysLittle(message)) this.#init.patience.spend();
    if (message.type === "window") {
      const { stream, bytes } = message.payload;
      const found = this.#init.streams.find(stream);
      if (found === undefined && bytes >= WORTHWHILE_BYTES) this.#init.patience.spend();
      found?.widen(bytes);
    } else if (message.type === "reset") {
      const { stream, code, message: text = "reset by the peer" } = message.payload;
      const open = this.#init.streams.resetByPeer(stream, SallyportError.fromWire(code, text));
      if (!open) this.#init.patience.spend();
    } else {
      this.#init.message(message);
    }
  }

  /** Whether a message is of a kind that could be sent without end (SPEC.md 3.5). */
  #saysLittle(message: SessionMessage): boolean {
    if (message.type === "window") return message.payload.bytes < WORTHWHILE_BYTES;
    if (message.type === "ack") {
      const more = message.payload.bytes - this.#acked;
      this.#acked = message.payload.bytes;
      return more < WORTHWHILE_BYTES;
    }
    return message.type !== "hello" && message.type !== "reset";
  }

  #streamMessage(incoming: IncomingStreamMessage, bodyLength: number): void {
    const found = this.#init.streams.receive(incoming, bodyLength);
    const isLate = found === undefined && !isOpening(incoming.message);
    const isEmpty = bodyLength === 0 && !incoming.end && isPlainData(incoming);
    if (isLate || isEmpty) this.#init.patience.spend();
    if (found === undefined) return;
    this.#current = incoming;
    if (found.opened) this.#init.opened(found.stream);
    if (bodyLength === 0) this.#endMessage();
  }

  #body(part: Uint8Array, last: boolean): void {
    if (this.#stopped) return;
    this.#init.acknowledger.count(part.byteLength);
    if (this.#current === undefined) return;
    this.#init.streams.get(this.#current.id)?.receiveBody(part);
    if (last) this.#endMessage();
  }

  #endMessage(): void {
    const ended = this.#current;
    this.#current = undefined;
    if (ended?.end === true) this.#init.streams.get(ended.id)?.receiveEnd(ended.trailers);
  }
}

function isPlainData({ message: { type } }: IncomingStreamMessage): boolean {
  return type === "connect_data" || type === "websocket_message";
}
