import { SallyportError } from "../../errors.ts";
import type { SessionMessage } from "../../protocol/messages.ts";
import type { FrameReader } from "../stream/frame_order.ts";
import type { FramedStream } from "../stream/framed_stream.ts";
import type { StreamTable } from "../stream/stream_table.ts";
import { FrameDecoder } from "../wire/frame_codec.ts";
import { type IncomingStreamMessage, protocolViolation, readIncoming } from "../wire/incoming.ts";
import type { Acknowledger } from "./acknowledger.ts";
import type { FloodGuard } from "./flood_guard.ts";
import type { FrameTrace } from "./frame_trace.ts";
import type { LinkMessage } from "./link_sender.ts";

/** An `ack` or `window` of fewer bytes counts as one that changes nothing (SPEC.md 3.5). */
const SIGNIFICANT_BYTES = 4_096;
/** The longest partial envelope before the session is known (SPEC.md 3.1). */
const MAX_FIRST_BYTES = 8_192;

/** A message of the session that concerns no single stream. */
export type LifecycleMessage = Extract<SessionMessage, { type: "goaway" | "status" }>;

/** The session that a link belongs to, as its receiver needs it. */
export interface ReceivingSession {
  /** The streams that messages belong to. */
  readonly streams: StreamTable;
  /** A message of the session arrived; may throw a violation. */
  message(message: LifecycleMessage): void;
  /** The peer opened a stream. */
  opened(stream: FramedStream): void;
}

/** What makes a {@linkcode Receiver}. */
interface ReceiverInit {
  /** Counts the bytes that were read (SPEC.md 5.2). */
  readonly acknowledger: Acknowledger;
  /** Counts messages that change nothing. */
  readonly floodGuard: Pick<FloodGuard, "idleMessages" | "repeatedMessages">;
  /** Learns of every frame. */
  readonly trace: Pick<FrameTrace, "received">;
  /** A message of the link arrived, or the `goaway` that refuses it; may throw a violation. */
  message(message: LinkMessage | Extract<SessionMessage, { type: "goaway" }>): void;
}

/** The receiving half of a link: decodes its bytes and passes each message to where it belongs. */
export class Receiver {
  /** Set once the link belongs to a session. */
  session: ReceivingSession | undefined;
  readonly #init: ReceiverInit;
  readonly #decoder: FrameDecoder;
  /** Whether the first message arrived (SPEC.md 3.1). */
  #started = false;
  #stopped = false;
  /** Bytes of a partial message that the session counts. */
  #held = 0;
  /** The total of the last `ack`. */
  #acked = 0;
  /** Whether the frame whose body is arriving is counted (SPEC.md 5.2). */
  #isCounted = false;
  /** Takes the body that is arriving; undefined when it is dropped. */
  #reader: FrameReader | undefined;

  constructor(init: ReceiverInit) {
    this.#init = init;
    this.#decoder = new FrameDecoder({
      head: (json, bodyLength, headBytes) => this.#head(json, bodyLength, headBytes),
      body: (part) => this.#body(part),
      held: (bytes) => this.#partialMessage(bytes),
    });
  }

  /**
   * Takes the next bytes of the link.
   * @throws SallyportError a violation that ends the session.
   */
  push(bytes: Uint8Array): void {
    if (this.#stopped) return;
    this.#decoder.push(bytes);
    this.#init.acknowledger.chunkProcessed();
  }

  /** Processes nothing more, not even the rest of the current chunk. */
  stop(): void {
    this.#decoder.release();
    this.#stopped = true;
  }

  #partialMessage(bytes: number): void {
    if (this.#stopped) return;
    if (this.session === undefined) {
      if (bytes > MAX_FIRST_BYTES) throw protocolViolation(`a first message of more than ${bytes} bytes`);
      return;
    }
    // Of `hello` nothing was counted, so that nothing can be given back.
    const change = Math.max(bytes, -this.#held);
    this.#held += change;
    this.session.streams.holdPartialMessage(change);
  }

  #head(json: Uint8Array, bodyLength: number, headBytes: number): void {
    this.#reader = undefined;
    if (this.#stopped) return;
    const incoming = readIncoming(json);
    this.#init.trace.received(incoming, headBytes + bodyLength, bodyLength);
    const type = incoming.kind === "unknown" ? incoming.type : incoming.message.type;
    this.#checkFirst(type);
    this.#isCounted = !isLinkType(type);
    if (this.#isCounted) this.#init.acknowledger.count(headBytes);
    const ofStream = incoming.kind === "stream" || incoming.kind === "unknown" && incoming.id !== undefined;
    if (!ofStream && bodyLength > 0) throw protocolViolation(`${type} has a body but no stream`);
    if (incoming.kind === "stream") this.#streamMessage(incoming, bodyLength);
    else if (incoming.kind === "session") this.#sessionMessage(incoming.message);
    else {
      this.#init.floodGuard.idleMessages.add();
      if (incoming.id !== undefined) this.session!.streams.refuseUnknown(incoming.id);
    }
  }

  /** The first message is `hello`, or `goaway` instead of it, and there is no second `hello` (SPEC.md 3.1). */
  #checkFirst(type: string): void {
    if (this.#started) {
      if (type === "hello") throw protocolViolation("a second hello");
      return;
    }
    if (type !== "hello" && type !== "goaway") throw protocolViolation(`${type} came before hello`);
    this.#started = true;
  }

  #sessionMessage(message: SessionMessage): void {
    switch (message.type) {
      case "window":
        return this.#raiseCredit(message.payload);
      case "reset":
        return this.#reset(message.payload);
      case "goaway":
      case "status":
        this.#init.floodGuard.idleMessages.add();
        if (this.session !== undefined) return this.session.message(message);
        if (message.type === "goaway") this.#init.message(message);
        return;
      default:
        if (this.#changesNothing(message)) this.#init.floodGuard.idleMessages.add();
        this.#init.message(message);
    }
  }

  #raiseCredit({ stream, total }: { stream: number; total: number }): void {
    const more = this.session!.streams.find(stream)?.raiseCredit(total) ?? 0;
    if (more < SIGNIFICANT_BYTES) this.#init.floodGuard.idleMessages.add();
  }

  #reset(
    { stream, code, message = "reset by the peer" }: { stream: number; code: string; message?: string },
  ): void {
    const wasOpen = this.session!.streams.resetByPeer(stream, SallyportError.fromWire(code, message));
    if (!wasOpen) this.#init.floodGuard.idleMessages.add();
  }

  /** Whether a message of the link changes nothing, or next to nothing (SPEC.md 3.5). */
  #changesNothing(message: LinkMessage): boolean {
    if (message.type !== "ack") return message.type !== "hello";
    const more = message.payload.bytes - this.#acked;
    this.#acked = message.payload.bytes;
    return more < SIGNIFICANT_BYTES;
  }

  #streamMessage(incoming: IncomingStreamMessage, bodyLength: number): void {
    const { floodGuard } = this.#init;
    const { fate, reader, opened } = this.session!.streams.receive(incoming, bodyLength);
    const isEmpty = bodyLength === 0 && !incoming.end && isPlainData(incoming);
    if (fate === "repeated") floodGuard.repeatedMessages.add();
    else if (fate === "late" || isEmpty) floodGuard.idleMessages.add();
    this.#reader = reader;
    if (opened !== undefined) this.session!.opened(opened);
  }

  #body(part: Uint8Array): void {
    if (this.#stopped) return;
    if (this.#isCounted) this.#init.acknowledger.count(part.byteLength);
    this.#reader?.body(part);
  }
}

function isPlainData({ message: { type } }: IncomingStreamMessage): boolean {
  return type === "connect_data" || type === "websocket_message";
}

/** Messages that are not counted (SPEC.md 5.2). */
function isLinkType(type: string): boolean {
  return type === "hello" || type === "ack" || type === "ping" || type === "pong";
}
