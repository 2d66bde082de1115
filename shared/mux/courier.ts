import type { Clock } from "../clock.ts";
import { SallyportError } from "../errors.ts";
import type { SessionMessage } from "../protocol/messages.ts";
import { SEND_BODY_BYTES } from "./frame.ts";
import type { FrameSender } from "./frame_sender.ts";
import { readIncoming } from "./incoming.ts";
import type { OutgoingFrame } from "./outbox.ts";
import { Pace } from "./pace.ts";
import type { MuxStream } from "./stream.ts";
import type { StreamTable } from "./stream_table.ts";

const encoder = new TextEncoder();
/** A frame takes as long as so many bytes, however few it has. */
const FRAME_WEIGHT = 4_096;

/**
 * Takes frames from the streams of one table to those of another in the same process. As with a connection, what
 * a room does arrives after the callback in which it did it, and what is about a stream overtakes its bytes. What
 * would be too much for one event of the runtime goes on in a later one.
 */
export class Courier implements FrameSender {
  /** Where to take it; set before the first stream is opened. */
  to: StreamTable | undefined;
  readonly #opened: (stream: MuxStream) => void;
  /** Streams with something to send, in the order of their turns. */
  readonly #ring = new Set<MuxStream>();
  readonly #pace: Pace;
  #control: SessionMessage[] = [];
  #scheduled = false;

  /** @param opened Hears of every stream that arrives. */
  constructor(clock: Clock, opened: (stream: MuxStream) => void) {
    this.#pace = new Pace(clock, () => this.#schedule());
    this.#opened = opened;
  }

  ready(stream: MuxStream): void {
    if (!stream.sendable) return;
    this.#ring.add(stream);
    this.#schedule();
  }

  remove(stream: MuxStream): void {
    this.#ring.delete(stream);
  }

  control(message: SessionMessage): void {
    this.#control.push(message);
    this.#schedule();
  }

  /** No stream is left. */
  rest(): void {
    this.#pace.rest();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    for (const message of this.#control.splice(0)) this.#tell(message);
    for (const stream of this.#ring) {
      if (this.#pace.isSpent) return;
      this.#ring.delete(stream);
      if (stream.sendable) this.#carry(stream);
      // Added again, it comes last: `for … of` over a set reaches it after all the others.
      if (stream.sendable) this.#ring.add(stream);
    }
  }

  /** One frame is a stream's turn. */
  #carry(stream: MuxStream): void {
    const frame = stream.takeFrame(SEND_BODY_BYTES);
    try {
      this.#deliver(frame);
    } catch (reason) {
      // On a connection it would end all streams; here it is a fault of this one's room.
      stream.failed(reason);
    }
    stream.frameTaken();
    this.#pace.spend(frame.body.byteLength + FRAME_WEIGHT);
  }

  #deliver({ json, body }: OutgoingFrame): void {
    const incoming = readIncoming(typeof json === "string" ? encoder.encode(json) : json);
    if (incoming.kind !== "stream") return;
    const found = this.to?.receive(incoming, body.byteLength);
    if (found === undefined) return;
    if (found.opened) this.#opened(found.stream);
    if (body.byteLength > 0) found.stream.receiveBody(body);
    if (incoming.end) found.stream.receiveEnd(incoming.trailers);
  }

  #tell(message: SessionMessage): void {
    if (message.type === "window") {
      const { stream, bytes } = message.payload;
      this.to?.find(stream)?.widen(bytes);
    } else if (message.type === "reset") {
      const { stream, code, message: text = "reset" } = message.payload;
      this.to?.resetByPeer(stream, SallyportError.fromWire(code, text, "here"));
    }
  }
}
