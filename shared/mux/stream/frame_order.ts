import type { HeaderList } from "../../protocol/messages.ts";
import { compact, merge, overheadOf, type Part, PART_BYTES } from "../flow/part.ts";
import { headerListCost, messageCost } from "../flow/stream_memory.ts";
import { type IncomingStreamMessage, protocolViolation } from "../wire/incoming.ts";

/** How far a frame's number may be above that of the frame delivered next (SPEC.md 4.8). */
export const MAX_NUMBERS_AHEAD = 8_192;

/** Where frames go once they are in order. */
export interface FrameSink {
  /** Whether nothing more is wanted. */
  readonly over: boolean;
  /** A frame of this body length arrives for the first time; throws `flow_control_violation` without credit for it. */
  admit(bodyLength: number): void;
  /** Frames that wait hold `bytes` more, or fewer, in addition to their bodies. */
  charge(bytes: number): void;
  /** A frame begins. Returns false when it breaks the rules of the stream, which is over then. */
  receiveHead(incoming: IncomingStreamMessage, bodyLength: number): boolean;
  /** The next bytes of its body. */
  receiveBody(bytes: Uint8Array): void;
  /** The frame was the last of its direction. */
  receiveEnd(trailers: HeaderList | undefined): void;
}

/**
 * Puts the frames of one direction of a stream in order, whatever links they arrive by, and drops what has arrived
 * (SPEC.md 4.8). The body of the frame that is next passes through as it arrives; those of later ones wait.
 */
export class FrameOrder {
  readonly #sink: FrameSink;
  /** Frames that have begun to arrive and were not delivered completely. */
  readonly #frames = new Map<number, ArrivingFrame>();
  #next = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Frames that have begun to arrive and were not delivered completely. */
  get size(): number {
    return this.#frames.size;
  }

  /**
   * A frame begins to arrive on a link. Returns what takes its body; undefined when the frame already arrived.
   * @throws SallyportError `protocol_violation` or `flow_control_violation`, which end the session.
   */
  begin(incoming: IncomingStreamMessage, bodyLength: number): FrameReader | undefined {
    const { n } = incoming;
    if (n < this.#next) return undefined;
    if (n >= this.#next + MAX_NUMBERS_AHEAD) {
      throw protocolViolation(`number ${n} of stream ${incoming.id} is too far ahead of ${this.#next}`);
    }
    const known = this.#frames.get(n);
    if (known === undefined) return this.#add(incoming, bodyLength);
    if (known.length !== bodyLength) {
      throw protocolViolation(`number ${n} of stream ${incoming.id} has two lengths`);
    }
    return known.received === known.length ? undefined : new FrameReader(this, known);
  }

  /** The next bytes of a frame's body, which were not known before. Only a {@linkcode FrameReader} calls it. */
  append(frame: ArrivingFrame, bytes: Uint8Array): void {
    if (this.#sink.over) return;
    frame.received += bytes.byteLength;
    if (frame.number !== this.#next) return this.#sink.charge(frame.hold(bytes));
    this.#sink.receiveBody(bytes);
    if (frame.received === frame.length) this.#advance();
  }

  /** Drops everything: the stream is over. */
  stop(): void {
    this.#frames.clear();
  }

  #add(incoming: IncomingStreamMessage, bodyLength: number): FrameReader {
    this.#sink.admit(bodyLength);
    const frame = new ArrivingFrame(incoming, bodyLength);
    this.#frames.set(incoming.n, frame);
    if (incoming.n === this.#next) this.#advance();
    else this.#sink.charge(frame.waits());
    return new FrameReader(this, frame);
  }

  /** Delivers what is next, as far as it has arrived. */
  #advance(): void {
    for (let frame; !this.#sink.over && (frame = this.#frames.get(this.#next)) !== undefined;) {
      if (!this.#deliver(frame) || frame.received < frame.length) return;
      this.#frames.delete(this.#next++);
      const { end, trailers } = frame.incoming;
      if (end && !this.#sink.over) this.#sink.receiveEnd(trailers);
    }
  }

  /** Delivers what has arrived of the frame that is next; false when the stream is over. */
  #deliver(frame: ArrivingFrame): boolean {
    if (frame.isDelivered) return true;
    frame.isDelivered = true;
    const parts = frame.takeParts((bytes) => this.#sink.charge(-bytes));
    if (!this.#sink.receiveHead(frame.incoming, frame.length)) return false;
    for (const { bytes } of parts) {
      if (this.#sink.over) return false;
      this.#sink.receiveBody(bytes);
    }
    return true;
  }
}

/** A frame that has begun to arrive, by one link or several. */
class ArrivingFrame {
  readonly incoming: IncomingStreamMessage;
  /** Bytes of its body. */
  readonly length: number;
  /** Bytes of its body that have arrived. */
  received = 0;
  /** Whether its head was delivered, so that bytes pass through. */
  isDelivered = false;
  readonly #parts: Part[] = [];
  /** What it costs in addition to its body. */
  #overhead = 0;

  constructor(incoming: IncomingStreamMessage, length: number) {
    this.incoming = incoming;
    this.length = length;
  }

  get number(): number {
    return this.incoming.n;
  }

  /** The frame waits for an earlier one. Returns what that costs in addition to its body. */
  waits(): number {
    const { message, trailers } = this.incoming;
    return this.#cost(PART_BYTES + messageCost(message) + headerListCost(trailers));
  }

  /** Keeps bytes until the frame is next. Returns what that costs in addition to them. */
  hold(bytes: Uint8Array): number {
    const last = this.#parts.at(-1);
    const growth = last === undefined ? undefined : merge(last, bytes);
    if (growth !== undefined) return this.#cost(growth);
    const kept = compact(bytes);
    this.#parts.push({ bytes: kept });
    return this.#cost(overheadOf(kept));
  }

  /** Takes what was kept. @param refund Called with what it no longer costs. */
  takeParts(refund: (bytes: number) => void): Part[] {
    if (this.#overhead > 0) refund(this.#overhead);
    this.#overhead = 0;
    return this.#parts.splice(0);
  }

  #cost(bytes: number): number {
    this.#overhead += bytes;
    return bytes;
  }
}

/** Takes a frame's body from one link; a copy of the frame may arrive by another one at the same time. */
export class FrameReader {
  readonly #order: FrameOrder;
  readonly #frame: ArrivingFrame;
  #position = 0;

  constructor(order: FrameOrder, frame: ArrivingFrame) {
    this.#order = order;
    this.#frame = frame;
  }

  /** The next bytes of the body by this link. */
  body(bytes: Uint8Array): void {
    const known = this.#frame.received - this.#position;
    this.#position += bytes.byteLength;
    if (known >= bytes.byteLength) return;
    this.#order.append(this.#frame, known > 0 ? bytes.subarray(known) : bytes);
  }
}
