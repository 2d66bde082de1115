import type { Clock } from "../../clock.ts";
import { SallyportError } from "../../errors.ts";
import type { SessionMessage } from "../../protocol/messages.ts";
import { SEND_BODY_BYTES } from "../wire/frame_header.ts";
import type { OutgoingFrame } from "../stream/send_queue.ts";
import { EventBudget } from "./event_budget.ts";
import type { FramedStream } from "../stream/framed_stream.ts";
import type { StreamTable } from "../stream/stream_table.ts";
import type { FrameSender } from "../stream/stream_table_init.ts";

/** What a frame costs in addition to its bytes. */
const FRAME_COST = 4_096;

/**
 * Delivers frames from the streams of one table to those of another in the same process. As with a connection, frames
 * arrive after the callback in which they were sent, and session messages overtake bytes. What would be too much for
 * one event of the runtime is delivered in a later one.
 */
export class LocalDelivery implements FrameSender {
  /** The table of the receiving streams; set before the first stream is opened. */
  receiver: StreamTable | undefined;
  readonly #opened: (stream: FramedStream) => void;
  /** Streams with something to send, in the order of their turns. */
  readonly #ring = new Set<FramedStream>();
  readonly #eventBudget: EventBudget;
  #control: SessionMessage[] = [];
  #scheduled = false;

  /** @param opened Called for every stream that arrives. */
  constructor(clock: Clock, opened: (stream: FramedStream) => void) {
    this.#eventBudget = new EventBudget(clock, () => this.#schedule());
    this.#opened = opened;
  }

  ready(stream: FramedStream): void {
    if (!stream.sendable) return;
    this.#ring.add(stream);
    this.#schedule();
  }

  remove(stream: FramedStream): void {
    this.#ring.delete(stream);
  }

  control(message: SessionMessage): void {
    this.#control.push(message);
    this.#schedule();
  }

  /** No stream is left: stops the timer. */
  stop(): void {
    this.#eventBudget.stop();
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
    for (const message of this.#control.splice(0)) this.#deliverMessage(message);
    for (const stream of this.#ring) {
      if (this.#eventBudget.isExhausted) return;
      this.#ring.delete(stream);
      if (stream.sendable) this.#takeTurn(stream);
      // Added again, it is last: `for … of` over a set reaches it after all others.
      if (stream.sendable) this.#ring.add(stream);
    }
  }

  /** A turn is one frame. */
  #takeTurn(stream: FramedStream): void {
    const frame = stream.takeFrame(SEND_BODY_BYTES);
    try {
      this.#deliver(frame);
    } catch (reason) {
      // On a connection this would end all streams; here only one consumer broke the protocol.
      stream.consumerThrew(reason);
    }
    stream.frameWritten();
    stream.frameArrived(frame.n);
    this.#eventBudget.spend(frame.body.byteLength + FRAME_COST);
  }

  #deliver({ body, ...frame }: OutgoingFrame): void {
    const { reader, opened } = this.receiver!.receive({ kind: "stream", ...frame }, body.byteLength);
    if (opened !== undefined) this.#opened(opened);
    if (body.byteLength > 0) reader?.body(body);
  }

  #deliverMessage(message: SessionMessage): void {
    if (message.type === "window") {
      const { stream, total } = message.payload;
      this.receiver?.find(stream)?.raiseCredit(total);
    } else if (message.type === "reset") {
      const { stream, code, message: text = "reset" } = message.payload;
      this.receiver?.resetByPeer(stream, SallyportError.fromWire(code, text, "here"));
    }
  }
}
