import type { Clock } from "../clock.ts";
import type { SessionMessage } from "../protocol/messages.ts";
import { FrameEncoder } from "./codec.ts";
import { SEND_BODY_BYTES } from "./frame.ts";
import { PathEstimator } from "./path_estimator.ts";
import { Queue } from "./queue.ts";
import type { MuxStream } from "./stream.ts";
import type { Transport } from "./transport.ts";

/** Bytes gathered for one write: few large writes beat many small ones. */
const BATCH_BYTES = 131_072;
/** Bytes of a batch's buffer: one turn may end beyond the batch's mark. */
const BUFFER_BYTES = BATCH_BYTES + SEND_BODY_BYTES + 4_096;
/** Buffers kept for reuse. */
const SPARE_BUFFERS = 2;
/** Writes that the connection may hold at once. While it holds one, small frames gather for the next. */
const MAX_WRITES = 2;
/** Bytes of one turn while other streams wait for theirs (SPEC.md 5.4). */
const TURN_BYTES = 16_384;
/** Bytes that session messages may take while they wait for a peer that does not read (SPEC.md 3.5). */
const MAX_CONTROL = 2_621_440;
/** What a session message takes that waits, beyond its characters: the header of its text and its place. */
const MESSAGE_BYTES = 64;
/** Room below which a turn waits for more: crumbs cost more than they carry. */
const MIN_TURN_BYTES = 4_096;

/** What makes a sender. */
export interface SenderInit {
  transport: Transport;
  clock: Clock;
  /** A write with bytes of streams is due: a chance to send control with it. */
  beforeWrite(): void;
  /** More session messages wait than may. */
  overflow(): void;
}

/**
 * The writing half of a session: gathers frames into few writes, session messages first, then the streams in
 * fair turns, and never more in flight than the path carries (SPEC.md 5.3, 5.4).
 */
export class Sender {
  /** What is known of the path. */
  readonly path: PathEstimator;
  readonly #transport: Transport;
  readonly #init: SenderInit;
  /** Envelopes of session messages that wait, and the bytes that they take. */
  readonly #control = new Queue<string>();
  #controlBytes = 0;
  /** The total of the `ack` that waits: a later one takes the place of an earlier one. */
  #ack: number | undefined;
  /** Streams with something to send, in the order of their turns. */
  readonly #ring = new Set<MuxStream>();
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  #writes = 0;
  #scheduled = false;
  #stopped = false;
  #onIdle: (() => void) | undefined;

  constructor(init: SenderInit) {
    this.#init = init;
    this.#transport = init.transport;
    this.path = new PathEstimator(init.clock);
  }

  /** Queues a session message. */
  control(message: SessionMessage): void {
    const json = JSON.stringify(message);
    this.#control.push(json);
    this.#controlBytes += json.length + MESSAGE_BYTES;
    if (this.#controlBytes > MAX_CONTROL) this.#overflow();
    this.#schedule();
  }

  /** Queues an `ack` of `total` bytes. */
  acknowledge(total: number): void {
    this.#ack = total;
    this.#schedule();
  }

  /** Gives a stream its place in the ring when it has something to send. */
  ready(stream: MuxStream): void {
    if (!stream.sendable || this.#ring.has(stream)) return;
    this.#ring.add(stream);
    this.#schedule();
  }

  /** Takes a stream out of the ring. */
  remove(stream: MuxStream): void {
    this.#ring.delete(stream);
  }

  /** The peer has read `total` bytes. Returns false when that cannot be. */
  acknowledged(total: number): boolean {
    if (!this.path.acknowledged(total)) return false;
    this.#schedule();
    return true;
  }

  /** Runs `callback` once everything queued has been handed to the connection. */
  whenIdle(callback: () => void): void {
    this.#onIdle = callback;
    this.#schedule();
  }

  /** Sends nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#dropControl();
    this.#ring.clear();
    this.#onIdle = undefined;
  }

  /** Waits for the end of the current event, so that what one event causes leaves in one write. */
  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#stopped && this.#writes < MAX_WRITES) {
      if (!this.#hasControl && this.#ring.size === 0) return this.#tellIdle();
      const encoder = new FrameEncoder(this.#spare.pop() ?? new Uint8Array(BUFFER_BYTES));
      if (this.#ring.size > 0) this.#init.beforeWrite();
      this.#gatherControl(encoder);
      const streamBytes = this.#gatherStreams(encoder);
      // Streams wait, but the path is full.
      if (encoder.length === 0) return this.#recycle(encoder);
      if (streamBytes > 0) this.path.sent(streamBytes, this.#ring.size === 0);
      this.#write(encoder);
    }
  }

  /** Writes the session messages that fit into a batch: what a write holds is counted by nothing. */
  #gatherControl(encoder: FrameEncoder): void {
    const ack = this.#ack;
    this.#ack = undefined;
    if (ack !== undefined) encoder.append(JSON.stringify({ type: "ack", payload: { bytes: ack } }));
    for (let json; encoder.length < BATCH_BYTES && (json = this.#control.shift()) !== undefined;) {
      this.#controlBytes -= json.length + MESSAGE_BYTES;
      encoder.append(json);
    }
  }

  get #hasControl(): boolean {
    return this.#control.length > 0 || this.#ack !== undefined;
  }

  #dropControl(): void {
    this.#control.clear();
    this.#controlBytes = 0;
    this.#ack = undefined;
  }

  /** The peer makes us say more than it reads: all that is dropped, because only the end can follow. */
  #overflow(): void {
    this.#dropControl();
    // Later, because whoever sends is in the middle of something that the end would upset.
    queueMicrotask(() => this.#init.overflow());
  }

  /** Gives the streams their turns until the batch or the path is full. Returns the bytes of their frames. */
  #gatherStreams(encoder: FrameEncoder): number {
    let total = 0;
    for (const stream of this.#ring) {
      const room = Math.min(BATCH_BYTES - encoder.length, this.path.window - this.path.inFlight - total);
      if (room < MIN_TURN_BYTES) return total;
      this.#ring.delete(stream);
      total += this.#turn(stream, encoder, this.#ring.size > 0 ? Math.min(room, TURN_BYTES) : room);
      // Added again, it comes last: `for … of` over a set reaches it after all the others.
      if (stream.sendable) this.#ring.add(stream);
    }
    return total;
  }

  /** Writes frames of one stream until it has used its turn; a turn that was begun may go a little over. */
  #turn(stream: MuxStream, encoder: FrameEncoder, allowance: number): number {
    let used = 0;
    while (used < allowance && stream.sendable) {
      const limit = Math.min(SEND_BODY_BYTES, allowance - used);
      const frame = stream.takeFrame(limit);
      used += encoder.append(frame.json, frame.body);
      stream.frameTaken();
    }
    return used;
  }

  #write(encoder: FrameEncoder): void {
    this.#writes++;
    this.#transport.write(encoder.bytes, () => {
      this.#writes--;
      this.#recycle(encoder);
      this.#flush();
    });
  }

  #recycle(encoder: FrameEncoder): void {
    const buffer = encoder.release();
    if (buffer.byteLength === BUFFER_BYTES && this.#spare.length < SPARE_BUFFERS) this.#spare.push(buffer);
  }

  #tellIdle(): void {
    if (this.#writes > 0) return;
    const idle = this.#onIdle;
    this.#onIdle = undefined;
    idle?.();
  }
}
