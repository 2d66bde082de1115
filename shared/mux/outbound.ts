import { dataTypeOf, type OpeningType, type StreamMessage } from "../protocol/messages.ts";
import type { Listener } from "./listener.ts";
import type { SessionOptions } from "./options.ts";
import { type EndOptions, Outbox, type OutgoingFrame } from "./outbox.ts";
import type { StreamMemory } from "./stream_memory.ts";
import { weightOf, weightOfHeaders } from "./weight.ts";
import { SendWindow } from "./window.ts";

/** What a writer that waits has read and not yet written: a paused socket takes in one more read (64 KiB). */
export const READ_AHEAD = 65_536;

/** What makes the outbound half of a stream. */
export interface OutboundInit {
  /** The stream's id. */
  id: number;
  /** How it was opened. */
  opening: OpeningType;
  /** Credit from the peer's `hello`. */
  credit: number;
  /** When the writer should wait, and go on. */
  marks: Pick<SessionOptions, "queueHighMark" | "queueLowMark">;
  /** What the stream holds. */
  memory: StreamMemory;
  /** Who hears that there is room again. */
  listener: Listener;
}

/** This end's direction of a stream: what waits to be sent, the peer's credit, and the end. */
export class Outbound {
  readonly #outbox: Outbox;
  readonly #window: SendWindow;
  readonly #marks: OutboundInit["marks"];
  readonly #memory: StreamMemory;
  readonly #listener: Listener;
  /** The end is queued; it was sent. */
  #phase: "open" | "ending" | "ended" = "open";
  #wantsDrain = false;
  #begun = false;
  #bytes = 0;
  /** What the memory was charged for the parts that wait, beyond their bytes. */
  #overhead = 0;

  constructor({ id, opening, credit, marks, memory, listener }: OutboundInit) {
    this.#outbox = new Outbox(id, dataTypeOf(opening));
    this.#window = new SendWindow(credit);
    this.#marks = marks;
    this.#memory = memory;
    this.#listener = listener;
  }

  /** Body bytes sent so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether anything was sent. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether more may be pushed: the end is not queued yet. */
  get open(): boolean {
    return this.#phase === "open";
  }

  /** Whether the end was sent. */
  get ended(): boolean {
    return this.#phase === "ended";
  }

  /** Whether a frame can be sent now. */
  get sendable(): boolean {
    return this.#outbox.sendable(this.#window.credit);
  }

  /** Queues a message, or plain bytes; only while `open`. Returns false when the writer should wait for `drain`. */
  push(message: StreamMessage | undefined, bytes?: Uint8Array, options?: EndOptions): boolean {
    const end = options?.end === true || message?.type === "websocket_close";
    this.#outbox.push(message, bytes, { end, trailers: options?.trailers });
    if (end) this.#phase = "ending";
    const texts = (message === undefined ? 0 : weightOf(message)) + weightOfHeaders(options?.trailers);
    this.#memory.add((bytes?.byteLength ?? 0) + texts);
    this.#chargeOverhead();
    if (this.#outbox.queued < this.#highMark) return true;
    if (!this.#wantsDrain) this.#memory.add(READ_AHEAD);
    this.#wantsDrain = true;
    return false;
  }

  /** Takes the next frame, its body at most `limit` bytes; only when `sendable`. */
  take(limit: number): OutgoingFrame {
    const frame = this.#outbox.take(Math.min(limit, this.#window.credit));
    this.#window.spend(frame.body.byteLength);
    this.#bytes += frame.body.byteLength;
    this.#memory.remove(frame.body.byteLength);
    this.#chargeOverhead();
    this.#begun = true;
    if (frame.end) this.#phase = "ended";
    return frame;
  }

  /** The frame was written, so that there may be room again. */
  taken(): void {
    if (!this.#wantsDrain || this.#outbox.queued > this.#marks.queueLowMark) return;
    this.#wantsDrain = false;
    this.#memory.remove(READ_AHEAD);
    this.#listener.drain();
  }

  /** The peer gave credit; throws `flow_control_violation`. */
  widen(bytes: number): void {
    this.#window.widen(bytes);
  }

  /** While memory is short, every writer waits whose queue would not ask it to go on. */
  get #highMark(): number {
    const { queueHighMark, queueLowMark } = this.#marks;
    return this.#memory.tight ? Math.min(queueHighMark, queueLowMark + 1) : queueHighMark;
  }

  /** Drops what waits. */
  stop(): void {
    this.#outbox.clear();
  }

  #chargeOverhead(): void {
    const { overhead } = this.#outbox;
    this.#memory.add(overhead - this.#overhead);
    this.#overhead = overhead;
  }
}
