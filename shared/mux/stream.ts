import { type ErrorCode, SallyportError } from "../errors.ts";
import {
  dataTypeOf,
  type HeaderList,
  type OpeningMessage,
  type StreamMessage,
} from "../protocol/messages.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import type { SessionOptions } from "./options.ts";
import { checkOutgoing } from "./outgoing.ts";
import { type EndOptions, Outbox, type OutgoingFrame } from "./outbox.ts";
import { ReceiveWindow, SendWindow } from "./window.ts";

/** What happens on a stream, for the room that uses it. */
export interface StreamEvents {
  /** A message other than plain bytes came: an answer, for example. */
  message?(message: StreamMessage): void;
  /** Bytes came; call `consumed` with their length once they were handed on. */
  data?(bytes: Uint8Array): void;
  /** The peer half-closed; `trailers` are those of an HTTP body. */
  end?(trailers: HeaderList | undefined): void;
  /** There is room again after `write` or `send` returned false. */
  drain?(): void;
  /**
   * The stream is over: both directions ended (`undefined`), or it was reset, or its connection is lost.
   * Called exactly once.
   */
  closed?(error: SallyportError | undefined): void;
}

/** What a stream needs of its session. */
export interface StreamOwner {
  /** The stream may have something to send. */
  ready(stream: MuxStream): void;
  /** Sends credit to the peer. */
  sendCredit(stream: MuxStream, bytes: number): void;
  /** Tells the peer that the stream is over. */
  sendReset(stream: MuxStream, code: ErrorCode, message: string): void;
  /** Both directions have ended: the session may forget the stream. */
  finished(stream: MuxStream): void;
}

/** What makes a stream; only a session does. */
export interface StreamInit {
  id: number;
  opening: OpeningMessage;
  owner: StreamOwner;
  options: SessionOptions;
  budget: MemoryBudget;
  /** Credit from the peer's `hello`. */
  sendCredit: number;
}

type Event =
  | { kind: "message"; message: StreamMessage }
  | { kind: "data"; bytes: Uint8Array }
  | { kind: "end"; trailers: HeaderList | undefined };

/** One stream of a session: two byte sequences and the messages about them (SPEC.md 4). */
export class MuxStream {
  /** Odd if the dialer opened it (SPEC.md 4.1). */
  readonly id: number;
  /** The message that opened it. */
  readonly opening: OpeningMessage;
  readonly #owner: StreamOwner;
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  readonly #sendWindow: SendWindow;
  readonly #receiveWindow: ReceiveWindow;
  #events: StreamEvents = {};
  /** Events that wait for `resume`; undefined once they flow. */
  #held: Event[] | undefined = [];
  /** Whether the peer has, or is about to have, the opening message. */
  #known = false;
  #wantsDrain = false;
  #endQueued = false;
  #endSent = false;
  #endReceived = false;
  #endDelivered = false;
  #over = false;
  #closedTold = false;
  #error: SallyportError | undefined;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(init: StreamInit) {
    this.id = init.id;
    this.opening = init.opening;
    this.#owner = init.owner;
    this.#options = init.options;
    this.#outbox = new Outbox(init.id, dataTypeOf(init.opening.type));
    this.#sendWindow = new SendWindow(init.sendCredit);
    this.#receiveWindow = new ReceiveWindow(init.options.initialWindow, init.options.maxWindow, init.budget);
  }

  /** Body bytes received so far. */
  get bytesIn(): number {
    return this.#bytesIn;
  }

  /** Body bytes sent so far; those in the queue are not counted. */
  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** Whether the stream is over; why, `closed` said. */
  get over(): boolean {
    return this.#over;
  }

  /** Sets who hears of events, in place of an earlier one. A stream that is over tells `closed` at once. */
  listen(events: StreamEvents): void {
    this.#events = events;
    if (this.#over) this.#tellClosed();
  }

  /** Lets messages, bytes and the peer's end flow; until the first call they wait, within the window. */
  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const event of held ?? []) {
      if (this.#over) return;
      this.#deliver(event);
    }
  }

  /** Sends a message with bytes of this stream; returns false when the writer should wait for `drain`. */
  send(message: StreamMessage, bytes?: Uint8Array, options?: EndOptions): boolean {
    return this.#push(message, bytes, options);
  }

  /** Sends plain bytes; they must not change afterwards. Returns false when the writer should wait for `drain`. */
  write(bytes: Uint8Array): boolean {
    return this.#push(undefined, bytes);
  }

  /** Half-closes: nothing more will be sent. Doing so again does nothing. */
  end(trailers?: HeaderList): void {
    if (!this.#endQueued) this.#push(undefined, undefined, { end: true, trailers });
  }

  /** Ends both directions at once and tells the peer why. A stream that is over stays as it is. */
  reset(code: ErrorCode, message: string): void {
    if (this.#over) return;
    // To a peer that never saw the stream, a reset would be a violation (SPEC.md 4.4).
    if (this.#known) this.#owner.sendReset(this, code, message);
    this.fail(new SallyportError(code, message));
  }

  /** Says that `count` of the bytes from `data` were handed on, so that the peer may send as many more. */
  consumed(count: number): void {
    if (this.#over) return;
    const credit = this.#receiveWindow.consume(count);
    if (credit > 0 && !this.#endReceived) this.#owner.sendCredit(this, credit);
  }

  // What follows is for the session only.

  /** Whether a frame can be sent now. */
  get sendable(): boolean {
    return !this.#over && this.#outbox.sendable(this.#sendWindow.credit);
  }

  /** Takes the next frame, its body at most `limit` bytes; only when `sendable`. */
  takeFrame(limit: number): OutgoingFrame {
    const frame = this.#outbox.take(Math.min(limit, this.#sendWindow.credit));
    this.#sendWindow.spend(frame.body.byteLength);
    this.#bytesOut += frame.body.byteLength;
    this.#known = true;
    if (frame.end) this.#endSent = true;
    return frame;
  }

  /** A frame from `takeFrame` was written: room may have come, or the stream's end. */
  frameTaken(): void {
    if (this.#wantsDrain && this.#outbox.queued <= this.#options.queueLowMark) {
      this.#wantsDrain = false;
      this.#events.drain?.();
    }
    this.#finishIfEnded();
  }

  /** The peer gave credit; throws `flow_control_violation`. */
  widen(bytes: number): void {
    if (this.#over) return;
    this.#sendWindow.widen(bytes);
    this.#owner.ready(this);
  }

  /**
   * A message of the peer began whose body has this length.
   * @throws SallyportError `flow_control_violation`, which ends the connection.
   * @returns false when the peer had already ended its direction: a violation that ends this stream only.
   */
  receiveHead(message: StreamMessage, bodyLength: number): boolean {
    this.#known = true;
    if (this.#endReceived) return false;
    this.#receiveWindow.receive(bodyLength);
    if (message.type !== "connect_data" && message.type !== "websocket_message") {
      if (message !== this.opening) this.#arrived({ kind: "message", message });
    }
    return true;
  }

  /** A part of that message's body came. */
  receiveBody(bytes: Uint8Array): void {
    if (this.#over) return;
    this.#bytesIn += bytes.byteLength;
    this.#arrived({ kind: "data", bytes });
  }

  /** The peer half-closed. */
  receiveEnd(trailers: HeaderList | undefined): void {
    if (this.#over) return;
    this.#endReceived = true;
    this.#arrived({ kind: "end", trailers });
  }

  /** Ends the stream because of `error`, without a word to the peer. */
  fail(error: SallyportError): void {
    if (!this.#over) this.#close(error);
  }

  #push(message: StreamMessage | undefined, bytes?: Uint8Array, options?: EndOptions): boolean {
    if (this.#over || this.#endQueued) return true;
    if (message !== undefined || options?.trailers !== undefined) {
      try {
        checkOutgoing(message, options?.trailers);
      } catch (reason) {
        const { code, message: problem } = SallyportError.from(reason);
        this.reset(code, problem);
        return true;
      }
    }
    const end = options?.end === true || message?.type === "websocket_close";
    this.#outbox.push(message, bytes, { end, trailers: options?.trailers });
    this.#endQueued = end;
    this.#owner.ready(this);
    if (this.#outbox.queued < this.#options.queueHighMark) return true;
    this.#wantsDrain = true;
    return false;
  }

  #arrived(event: Event): void {
    if (this.#held === undefined) this.#deliver(event);
    else this.#held.push(event);
  }

  #deliver(event: Event): void {
    if (event.kind === "data") {
      if (this.#events.data === undefined) this.consumed(event.bytes.byteLength);
      else this.#events.data(event.bytes);
    } else if (event.kind === "message") {
      this.#events.message?.(event.message);
    } else {
      this.#endDelivered = true;
      this.#events.end?.(event.trailers);
      this.#finishIfEnded();
    }
  }

  #finishIfEnded(): void {
    if (this.#endSent && this.#endDelivered && !this.#over) this.#close(undefined);
  }

  #close(error: SallyportError | undefined): void {
    this.#over = true;
    this.#error = error;
    this.#held = undefined;
    this.#outbox.clear();
    this.#receiveWindow.release();
    this.#owner.finished(this);
    this.#tellClosed();
  }

  #tellClosed(): void {
    const closed = this.#events.closed;
    this.#events = {};
    if (closed === undefined || this.#closedTold) return;
    this.#closedTold = true;
    closed(this.#error);
  }
}
