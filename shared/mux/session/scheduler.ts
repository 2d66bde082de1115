import type { Clock } from "../../clock.ts";
import { SEND_BODY_BYTES } from "../wire/frame_header.ts";
import { encodeStreamFrame } from "../wire/stream_frame.ts";
import { compact, SMALL_BYTES } from "../flow/part.ts";
import type { FramedStream } from "../stream/framed_stream.ts";
import { type CountedFrame, keptBytes, NO_BYTES, streamOf } from "../link/counted_frame.ts";
import type { Batch, FrameSource } from "../link/frame_source.ts";

/** Bytes of one turn while other streams wait for theirs (SPEC.md 5.4). */
const TURN_BYTES = 16_384;
/** Room below which a turn waits for more: tiny frames cost more than they carry. */
const MIN_TURN_BYTES = 4_096;
/** Milliseconds for which interactive streams count as in use after one sent the little that it had. */
const INTERACTIVE_MS = 250;

/** What a link may carry of streams: `interactive` those that sent little lately, `bulk` the others. */
export type LinkUse = "all" | "interactive" | "bulk" | "nothing";

/** What makes a {@linkcode Scheduler}. */
interface SchedulerInit {
  readonly clock: Pick<Clock, "now">;
  /** What this link may carry now. */
  useOf(sender: object): LinkUse;
  /** Whether the link for interactive streams has no room. */
  isFull(): boolean;
  /** Counts what frames cost until they are acknowledged; negative when they were. */
  keep(bytes: number): void;
  /** A stream waits: links that it may go by have to send. */
  wake(): void;
}

/**
 * Gives the streams of a session fair turns, by bytes, on its links (SPEC.md 5.4). A stream that has sent little lately
 * goes first, and where there are several links, by one that carries no bulk.
 */
export class Scheduler implements FrameSource {
  readonly #init: SchedulerInit;
  /** Streams with something to send, in the order of their turns. */
  readonly #interactive = new Set<FramedStream>();
  readonly #bulk = new Set<FramedStream>();
  readonly #rings = [this.#interactive, this.#bulk] as const;
  /** What messages of the session and dropped frames cost. */
  #ownBytes = 0;
  /** When an interactive stream last sent the little that it had. */
  #interactiveAt = -Infinity;
  /** Bytes of the next turn of a stream, where its last one was cut short or exceeded. */
  readonly #turns = new Map<FramedStream, number>();

  constructor(init: SchedulerInit) {
    this.#init = init;
  }

  /** Adds a stream to a ring if it has something to send. */
  ready(stream: FramedStream): void {
    if (!stream.sendable || this.#interactive.has(stream) || this.#bulk.has(stream)) return;
    this.#ringOf(stream).add(stream);
    this.#init.wake();
  }

  /** A stream is over. What was sent on one that was reset need not arrive: its memory is needed elsewhere. */
  remove(stream: FramedStream): void {
    this.#interactive.delete(stream);
    this.#bulk.delete(stream);
    this.#turns.delete(stream);
    if (stream.error === undefined || stream.kept === 0) return;
    for (const frame of stream.sent.takeDroppable() as CountedFrame[]) {
      this.#charge(frame, -1);
      Object.assign(frame, { owner: "dropped", json: "", body: NO_BYTES });
      this.#charge(frame, 1);
    }
  }

  /** A message of the session waits, until it was acknowledged. */
  keep(frame: CountedFrame): void {
    this.#charge(frame, 1);
  }

  /** Whether a frame's stream should not send before others. */
  isBulk(frame: CountedFrame): boolean {
    const stream = streamOf(frame);
    if (stream === undefined || stream.pinnedTo !== undefined) return false;
    return stream.recent.isBulk(this.#init.clock.now());
  }

  /** Whether streams wait that may go by this link. */
  isWaiting(sender: object): boolean {
    const use = this.#init.useOf(sender);
    for (const ring of this.#rings) {
      for (const stream of ring) {
        if (this.#mayGoBy(stream, ring, sender, use)) return true;
      }
    }
    return false;
  }

  /** Gives the streams their turns until the batch or the path is full. Returns whether one has to wait for room. */
  fill(batch: Batch): boolean {
    const use = this.#init.useOf(batch.sender);
    const isQuick = this.#isInteractive();
    for (const ring of this.#rings) {
      for (const stream of ring) {
        if (!this.#mayGoBy(stream, ring, batch.sender, use)) continue;
        const room = isQuick && ring === this.#bulk ? batch.quickRoom : batch.room;
        if (room < MIN_TURN_BYTES) return true;
        const isAlone = this.#interactive.size + this.#bulk.size === 1;
        const turn = isAlone ? room : this.#turns.get(stream) ?? TURN_BYTES;
        const used = this.#turn(stream, batch, Math.min(room, turn));
        // The first bytes of a download are many, or leave some waiting.
        const isLittle = ring === this.#interactive && used <= TURN_BYTES && stream.queued === 0;
        if (isLittle) this.#interactiveAt = this.#init.clock.now();
        const left = turn - used;
        // There is no more room: it keeps its place. Otherwise, one whose turns are cut short would fall behind.
        if (left >= MIN_TURN_BYTES && stream.sendable && this.#ringOf(stream) === ring) {
          this.#turns.set(stream, left);
          return true;
        }
        ring.delete(stream);
        this.#turns.delete(stream);
        if (!stream.sendable) continue;
        if (!isAlone) this.#turns.set(stream, TURN_BYTES + left);
        // Added again, it is last: `for … of` over a set reaches it after all others.
        const next = this.#ringOf(stream).add(stream);
        // It may now be one for another link.
        if (!this.#mayGoBy(stream, next, batch.sender, use)) this.#init.wake();
      }
    }
    return false;
  }

  delivered(frame: CountedFrame): void {
    this.#charge(frame, -1);
    const { opens } = frame;
    const stream = streamOf(frame);
    if (stream === undefined) return;
    if (opens) stream.pinnedTo = undefined;
    stream.frameArrived(frame.n);
    if (opens && (this.#interactive.has(stream) || this.#bulk.has(stream))) this.#init.wake();
  }

  /**
   * Frames of a lost or suspect link are about to be sent again. Returns those that still have to be.
   * @param sender By which link; undefined if there is none yet.
   */
  resend(frames: readonly CountedFrame[], sender: object | undefined): CountedFrame[] {
    return frames.filter((frame) => {
      if (frame.owner === "dropped") {
        this.#charge(frame, -1);
        return false;
      }
      const stream = streamOf(frame);
      if (stream !== undefined && frame.opens) stream.pinnedTo = sender ?? this;
      return true;
    });
  }

  /** Nothing more is sent: forgets these frames, all streams, and what all messages of the session cost. */
  stop(frames: readonly CountedFrame[]): void {
    this.#interactive.clear();
    this.#bulk.clear();
    this.#turns.clear();
    for (const frame of frames) {
      if (streamOf(frame) !== undefined) this.#charge(frame, -1);
    }
    this.#init.keep(-this.#ownBytes);
    this.#ownBytes = 0;
  }

  /** Whether interactive streams are in use, which should not wait behind bulk in a buffer or an event loop. */
  #isInteractive(): boolean {
    return this.#init.clock.now() - this.#interactiveAt < INTERACTIVE_MS;
  }

  #ringOf(stream: FramedStream): Set<FramedStream> {
    return stream.recent.isBulk(this.#init.clock.now()) ? this.#bulk : this.#interactive;
  }

  /** Until its opening message was acknowledged, everything about a stream goes by one link (SPEC.md 4.4). */
  #mayGoBy(stream: FramedStream, ring: Set<FramedStream>, sender: object, use: LinkUse): boolean {
    if (stream.pinnedTo !== undefined) return stream.pinnedTo === sender;
    if (use === "all") return true;
    if (ring === this.#bulk) return use === "bulk";
    // Many interactive streams at once may be more than their own link carries.
    return use === "interactive" || use === "bulk" && this.#init.isFull();
  }

  /** Sends frames of one stream until its turn is used; headers may exceed the turn a little. Returns their bytes. */
  #turn(stream: FramedStream, batch: Batch, allowance: number): number {
    let used = 0;
    while (used < allowance && stream.sendable && batch.room > 0) {
      const opens = stream.isIdle;
      const taken = stream.takeFrame(Math.min(SEND_BODY_BYTES, allowance - used));
      const { n, body } = taken;
      if (opens) stream.pinnedTo = batch.sender;
      // A few bytes that are kept must not keep the buffer of a whole read.
      const kept = body.byteLength < SMALL_BYTES ? compact(body) : body;
      const frame: CountedFrame = {
        json: encodeStreamFrame(taken),
        body: kept,
        owner: stream,
        n,
        opens,
        mustArrive: true,
      };
      stream.sent.keep(n, frame);
      this.#charge(frame, 1);
      used += batch.append(frame);
      stream.frameWritten();
    }
    stream.recent.add(used, this.#init.clock.now(), stream.queued === 0);
    return used;
  }

  /** @param times 1 when the frame begins to cost memory, -1 when it ends. */
  #charge(frame: CountedFrame, times: 1 | -1): void {
    const bytes = times * keptBytes(frame);
    const stream = streamOf(frame);
    if (stream === undefined) this.#ownBytes += bytes;
    else stream.kept += bytes;
    this.#init.keep(bytes);
  }
}
