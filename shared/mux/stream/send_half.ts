import { dataTypeOf, type OpeningType, type StreamMessage } from "../../protocol/messages.ts";
import type { StreamEmitter } from "./stream_emitter.ts";
import type { SessionOptions } from "../options.ts";
import { type OutgoingFrame, SendQueue } from "./send_queue.ts";
import type { EndOptions } from "./stream.ts";
import { headerListCost, messageCost, type StreamMemory } from "../flow/stream_memory.ts";
import { SendWindow } from "../flow/window.ts";

/** Bytes that a waiting writer has read and not yet written: a paused socket still completes one read. */
const READ_AHEAD = 65_536;

/** What makes a {@linkcode SendHalf}. */
interface SendHalfInit {
  /** The stream's id. */
  id: number;
  /** How it was opened. */
  opening: OpeningType;
  /** Credit from the peer's `hello`. */
  credit: number;
  /** Queued bytes at which the writer should wait, and continue. */
  marks: Pick<SessionOptions, "queueHighMark" | "queueLowMark">;
  /** Counts what the stream holds. */
  memory: StreamMemory;
  /** Where `drain` goes. */
  emitter: StreamEmitter;
}

/** This end's direction of a stream: the queue, the peer's credit, and the end. */
export class SendHalf {
  readonly #queue: SendQueue;
  readonly #window: SendWindow;
  readonly #marks: SendHalfInit["marks"];
  readonly #memory: StreamMemory;
  readonly #emitter: StreamEmitter;
  /** `ending`: the end is queued; `ended`: it was sent. */
  #phase: "open" | "ending" | "ended" = "open";
  #wantsDrain = false;
  #begun = false;
  #bytes = 0;
  /** Bytes counted for the parts that wait, in addition to their own. */
  #overhead = 0;

  constructor({ id, opening, credit, marks, memory, emitter }: SendHalfInit) {
    this.#queue = new SendQueue(id, dataTypeOf(opening));
    this.#window = new SendWindow(credit);
    this.#marks = marks;
    this.#memory = memory;
    this.#emitter = emitter;
  }

  /** Body bytes sent so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Body bytes that wait. */
  get queued(): number {
    return this.#queue.queued;
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
    return this.#queue.sendable(this.#window.credit);
  }

  /** Queues a message, or plain bytes; only while `open`. Returns false when the writer should wait for `drain`. */
  push(message: StreamMessage | undefined, bytes?: Uint8Array, options?: EndOptions): boolean {
    const end = options?.end === true || message?.type === "websocket_close";
    this.#queue.push(message, bytes, { end, trailers: options?.trailers });
    if (end) this.#phase = "ending";
    const texts = (message === undefined ? 0 : messageCost(message)) + headerListCost(options?.trailers);
    this.#memory.add((bytes?.byteLength ?? 0) + texts);
    this.#chargeOverhead();
    if (this.#queue.queued < this.#highMark) return true;
    if (!this.#wantsDrain) this.#memory.add(READ_AHEAD);
    this.#wantsDrain = true;
    return false;
  }

  /** Takes the next frame, its body at most `limit` bytes; only when `sendable`. */
  take(limit: number): OutgoingFrame {
    const frame = this.#queue.take(Math.min(limit, this.#window.credit));
    this.#window.spend(frame.body.byteLength);
    this.#bytes += frame.body.byteLength;
    this.#memory.remove(frame.body.byteLength);
    this.#chargeOverhead();
    this.#begun = true;
    if (frame.end) this.#phase = "ended";
    return frame;
  }

  /** The frame was written, so that there may be room again. */
  frameWritten(): void {
    if (!this.#wantsDrain || this.#queue.queued > this.#marks.queueLowMark) return;
    this.#wantsDrain = false;
    this.#memory.remove(READ_AHEAD);
    this.#emitter.drain();
  }

  /** The peer raised the total of body bytes; returns by how much. Throws `flow_control_violation`. */
  raiseCredit(total: number): number {
    return this.#window.raise(total);
  }

  /** While memory is short, a writer waits unless its queue is at the low mark. */
  get #highMark(): number {
    const { queueHighMark, queueLowMark } = this.#marks;
    return this.#memory.tight ? Math.min(queueHighMark, queueLowMark + 1) : queueHighMark;
  }

  /** Drops the queue. */
  stop(): void {
    this.#queue.clear();
  }

  #chargeOverhead(): void {
    const { overhead } = this.#queue;
    this.#memory.add(overhead - this.#overhead);
    this.#overhead = overhead;
  }
}
