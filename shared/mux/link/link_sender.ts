import type { Clock } from "../../clock.ts";
import type { SessionMessage } from "../../protocol/messages.ts";
import { PathEstimator } from "../flow/path_estimator.ts";
import { Queue } from "../flow/queue.ts";
import type { Transport } from "../transport.ts";
import type { FrameEncoder } from "../wire/frame_codec.ts";
import { SEND_BODY_BYTES } from "../wire/frame_header.ts";
import { type CountedFrame, MESSAGE_BYTES, unreadBytes } from "./counted_frame.ts";
import { EncoderPool } from "./encoder_pool.ts";
import type { Batch, FrameSource } from "./frame_source.ts";
import type { FrameTrace } from "./frame_trace.ts";
import { LinkMessages, type MessageMemory } from "./link_messages.ts";

/** Bytes gathered for one write: few large writes cost less than many small ones. */
const BATCH_BYTES = 131_072;
/** The same while interactive streams are in use, which wait for the write at both ends. */
const QUICK_BATCH_BYTES = 32_768;
/** Bytes of a batch's buffer: the last turn may exceed the batch. */
const BUFFER_BYTES = BATCH_BYTES + SEND_BODY_BYTES + 4_096;
/** Shared by all links: with spare buffers of its own, each of many links would keep 400 KB. */
const ENCODERS = new EncoderPool(BUFFER_BYTES);
/** Writes that may be pending at once. While one is, small frames gather for the next. */
const MAX_WRITES = 2;
/** Bytes of link and session messages that one link may have for a peer that does not read (SPEC.md 3.5). */
const MAX_CONTROL = 2_621_440;
/** Frames of streams that may be unacknowledged (SPEC.md 4.8). */
const MAX_KEPT = 8_192;

/** A message that belongs to a link, and is neither counted nor kept (SPEC.md 5.2). */
export type LinkMessage = Extract<SessionMessage, { type: "hello" | "ack" | "ping" | "pong" }>;

/** What makes a {@linkcode LinkSender}. */
interface LinkSenderInit {
  readonly transport: Transport;
  readonly clock: Clock;
  /** The session's streams; undefined while the link does not belong to one. */
  source(): FrameSource | undefined;
  /** A write with bytes of streams is due: an `ack` can be sent with it. */
  beforeWrite(): void;
  /** Something is in flight, and nothing was before. */
  inFlight(): void;
  /** Where messages that wait are counted; undefined while the link does not belong to a session. */
  memory(): MessageMemory | undefined;
  /** Too many messages wait. */
  overflow(): void;
  /** Learns of every frame. @default {nothing is traced} */
  readonly trace?: Pick<FrameTrace, "sent">;
}

/**
 * The sending half of a link: gathers frames into few writes, messages first, with no more bytes in flight than the
 * path carries (SPEC.md 5.3, 5.4), and keeps what was not acknowledged.
 */
export class LinkSender {
  /** Measures the path, and limits what is in flight. */
  readonly path: PathEstimator;
  readonly #init: LinkSenderInit;
  /** Envelopes of link messages that wait. */
  readonly #messages: LinkMessages;
  /** Session messages that wait. */
  readonly #control = new Queue<CountedFrame>();
  /** Frames of lost links that wait to be sent again, and what has to follow them. */
  readonly #resends = new Queue<CountedFrame>();
  /** Frames that were sent, and the total of counted bytes at their ends. */
  readonly #kept = new Queue<{ readonly frame: CountedFrame; readonly end: number }>();
  /** Bytes of messages that wait, and of session messages that are kept. */
  #unreadBytes = 0;
  /** The total of the `ack` that waits: a later one replaces an earlier one. */
  #ack: number | undefined;
  #sent = 0;
  /** When the peer last acknowledged anything, or when something was sent after all was acknowledged. */
  #progressAt = 0;
  #writes = 0;
  #scheduled = false;
  #stopped = false;
  #onIdle: (() => void) | undefined;

  constructor(init: LinkSenderInit) {
    this.#init = init;
    this.path = new PathEstimator(init.clock);
    this.#messages = new LinkMessages(init.memory);
  }

  /** Whether everything that was given to it was sent and acknowledged. */
  get isClear(): boolean {
    return this.#kept.length + this.#control.length + this.#resends.length === 0;
  }

  /** Milliseconds since which the peer has acknowledged nothing of what is in flight; 0 when nothing is. */
  get stalledFor(): number {
    return this.path.inFlight === 0 ? 0 : this.#init.clock.now() - this.#progressAt;
  }

  /** Whether as much is in flight as the path carries. */
  get isFull(): boolean {
    return this.path.inFlight >= this.path.window;
  }

  /** Queues a link message. */
  message(message: LinkMessage): void {
    if (this.#stopped) return;
    const json = JSON.stringify(message);
    this.#messages.push(json);
    this.#count(json.length + MESSAGE_BYTES);
    this.schedule();
  }

  /**
   * Queues a session message.
   * @param isAfterResends Whether it has to follow the frames that are sent again (SPEC.md 4.4).
   */
  control(frame: CountedFrame, isAfterResends: boolean): void {
    if (this.#stopped) return;
    if (isAfterResends && this.#resends.length > 0) this.#resends.push(frame);
    else this.#control.push(frame);
    this.#count(unreadBytes(frame));
    this.schedule();
  }

  /** Queues frames of a lost link. */
  resend(frames: Iterable<CountedFrame>): void {
    for (const frame of frames) {
      this.#resends.push(frame);
      this.#count(unreadBytes(frame));
    }
    this.schedule();
  }

  /** Queues an `ack` of `total` bytes. */
  acknowledge(total: number): void {
    this.#ack = total;
    this.schedule();
  }

  /** The peer has read `total` counted bytes; the same again is no progress. Returns false when it is impossible. */
  acknowledged(total: number): boolean {
    const { delivered } = this.path;
    if (!this.path.acknowledged(total)) return false;
    if (total === delivered) return true;
    this.#progressAt = this.#init.clock.now();
    for (let kept; (kept = this.#kept.first) !== undefined && kept.end <= total;) {
      this.#kept.shift();
      this.#unreadBytes -= unreadBytes(kept.frame);
      this.#init.source()?.delivered(kept.frame);
    }
    this.schedule();
    return true;
  }

  /** Runs `callback` once everything queued was written to the connection. */
  whenIdle(callback: () => void): void {
    this.#onIdle = callback;
    this.schedule();
  }

  /** Sends nothing more. Returns what was not acknowledged, in the order in which it has to be sent again. */
  stop(): CountedFrame[] {
    this.#stopped = true;
    this.#onIdle = undefined;
    this.#ack = undefined;
    return this.stopWaiting();
  }

  /** Drops link messages that wait, and takes everything else. */
  stopWaiting(): CountedFrame[] {
    for (let json; (json = this.#messages.shift()) !== undefined;) this.#count(-json.length - MESSAGE_BYTES);
    return this.takeAll();
  }

  /** Takes what was not acknowledged and what waits, in the order in which it has to be sent by another link. */
  takeAll(): CountedFrame[] {
    const frames = this.takeFrames();
    for (let frame; (frame = this.#control.shift()) !== undefined;) {
      this.#unreadBytes -= unreadBytes(frame);
      frames.push(frame);
    }
    return frames;
  }

  /** Takes what was sent and not acknowledged, or waits to be sent again; messages that wait are still sent. */
  takeFrames(): CountedFrame[] {
    const frames: CountedFrame[] = [];
    for (let kept; (kept = this.#kept.shift()) !== undefined;) frames.push(kept.frame);
    for (let frame; (frame = this.#resends.shift()) !== undefined;) frames.push(frame);
    for (const frame of frames) this.#unreadBytes -= unreadBytes(frame);
    return frames;
  }

  /** Sends once the current event is over, so that all frames of one event are sent with one write. */
  schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    let isWaiting = this.#init.source()?.isWaiting(this) === true;
    while (!this.#stopped && this.#writes < MAX_WRITES) {
      if (!isWaiting && !this.#hasOwn) return this.#notifyIdle();
      const encoder = ENCODERS.take();
      if (isWaiting) this.#init.beforeWrite();
      this.#gatherMessages(encoder);
      const before = this.#sent;
      isWaiting = this.#gatherCounted(encoder);
      // Frames wait, but the path is full.
      if (encoder.length === 0) return ENCODERS.giveBack(encoder);
      if (this.#sent > before) {
        const isFirst = this.path.inFlight === 0;
        this.path.sent(this.#sent - before, !isWaiting);
        if (isFirst) {
          this.#progressAt = this.#init.clock.now();
          this.#init.inFlight();
        }
      }
      this.#write(encoder);
    }
  }

  get #hasOwn(): boolean {
    return this.#ack !== undefined || this.#messages.length + this.#control.length + this.#resends.length > 0;
  }

  /** Writes the link messages that fit into a batch: nothing counts the bytes of pending writes. */
  #gatherMessages(encoder: FrameEncoder): void {
    const ack = this.#ack;
    this.#ack = undefined;
    for (let json; encoder.length < BATCH_BYTES && (json = this.#messages.shift()) !== undefined;) {
      this.#unreadBytes -= json.length + MESSAGE_BYTES;
      this.#appendMessage(encoder, json);
    }
    // Last, since `hello` is the first message (SPEC.md 3.1).
    if (ack !== undefined) this.#appendMessage(encoder, `{"type":"ack","payload":{"bytes":${ack}}}`);
  }

  /** Session messages, frames that are sent again, and then streams. Returns whether frames are left. */
  #gatherCounted(encoder: FrameEncoder): boolean {
    const path = this.path;
    const before = this.#sent;
    const batch: Batch = {
      sender: this,
      get room() {
        return roomIn(BATCH_BYTES, path.window);
      },
      get quickRoom() {
        return roomIn(QUICK_BATCH_BYTES, path.quickWindow);
      },
      append: (frame) => this.#append(encoder, frame),
    };
    const roomIn = (bytes: number, window: number) => {
      if (this.#kept.length >= MAX_KEPT) return 0;
      return Math.min(bytes - encoder.length, window - path.inFlight - (this.#sent - before));
    };
    for (let frame; encoder.length < BATCH_BYTES && (frame = this.#control.shift()) !== undefined;) {
      batch.append(frame);
    }
    for (let frame; batch.room > 0 && (frame = this.#resends.shift()) !== undefined;) {
      // Its stream was reset since it began to wait: it is as good as delivered.
      if (frame.owner === "dropped") this.#init.source()?.delivered(frame);
      else batch.append(frame);
    }
    return this.#resends.length > 0 || this.#init.source()?.fill(batch) === true;
  }

  #appendMessage(encoder: FrameEncoder, json: string): void {
    const bytes = encoder.append(json);
    this.#init.trace?.sent(json, bytes, 0);
  }

  #append(encoder: FrameEncoder, frame: CountedFrame): number {
    const bytes = encoder.append(frame.json, frame.body);
    this.#init.trace?.sent(frame.json, bytes, frame.body.byteLength);
    this.#sent += bytes;
    this.#kept.push({ frame, end: this.#sent });
    return bytes;
  }

  #write(encoder: FrameEncoder): void {
    this.#writes++;
    ENCODERS.write(encoder, this.#init.transport, () => {
      this.#writes--;
      this.#flush();
    });
  }

  #notifyIdle(): void {
    const onIdle = this.#writes > 0 ? undefined : this.#onIdle;
    if (onIdle !== undefined) this.#onIdle = undefined;
    onIdle?.();
  }

  #count(bytes: number): void {
    const wasBelow = this.#unreadBytes <= MAX_CONTROL;
    this.#unreadBytes += bytes;
    // Deferred: the caller is in the middle of work that the end of the session would break.
    if (wasBelow && this.#unreadBytes > MAX_CONTROL) queueMicrotask(() => this.#init.overflow());
  }
}
