import { type ErrorCode, SallyportError } from "../errors.ts";
import type { HeaderList, OpeningMessage, StreamMessage } from "../protocol/messages.ts";
import { Inbound } from "./inbound.ts";
import type { IncomingStreamMessage } from "./incoming.ts";
import { Listener } from "./listener.ts";
import type { HeldShare } from "./held_memory.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import type { SessionOptions } from "./options.ts";
import { Outbound } from "./outbound.ts";
import type { EndOptions, OutgoingFrame } from "./outbox.ts";
import { checkOutgoing } from "./outgoing.ts";
import { FAULT_MESSAGE, roomFault } from "./room_fault.ts";
import type { StreamEvents } from "./stream_events.ts";
import type { StreamOwner } from "./stream_owner.ts";
import { StreamMemory } from "./stream_memory.ts";
import { weightOf } from "./weight.ts";
import { ReceiveWindow } from "./window.ts";

/** What makes a stream; only a session does. */
export interface StreamInit {
  id: number;
  opening: OpeningMessage;
  /** Whether this end opens it. */
  own: boolean;
  owner: StreamOwner;
  options: SessionOptions;
  budget: MemoryBudget;
  /** The connection's part of the memory that streams hold. */
  share: HeldShare;
  /** Credit from the peer's `hello`. */
  sendCredit: number;
  /** Whether the peer is in this process. @default false */
  isLocal?: boolean;
}

/** Where a stream is in its life. What each direction has reached, `Inbound` and `Outbound` know. */
type State =
  /** The peer does not know of it yet. */
  | { readonly name: "idle" }
  | { readonly name: "open" }
  | { readonly name: "closed"; readonly error: SallyportError | undefined };

const IDLE: State = { name: "idle" };
const OPEN: State = { name: "open" };

/**
 * One stream of a session: two byte sequences and the messages about them (SPEC.md 4).
 *
 * It is over when both directions have ended, or by a reset. A callback that throws resets its stream with
 * `internal`; the session tells `fault`.
 */
export class MuxStream {
  /** Odd if the dialer opened it (SPEC.md 4.1). */
  readonly id: number;
  /** The message that opened it. */
  readonly opening: OpeningMessage;
  /** Whether the peer is another room of this process: what it failed at, this process failed at. */
  readonly isLocal: boolean;
  readonly #owner: StreamOwner;
  readonly #listener: Listener;
  readonly #memory: StreamMemory;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  #state = IDLE;
  #unseen = false;
  #peerReset: SallyportError | undefined;

  constructor({ id, opening, own, owner, options, budget, share, sendCredit, isLocal = false }: StreamInit) {
    this.id = id;
    this.opening = opening;
    this.isLocal = isLocal;
    this.#owner = owner;
    const listener = this.#listener = new Listener((reason) => this.failed(reason));
    const memory = this.#memory = new StreamMemory(share);
    memory.add(weightOf(opening));
    this.#inbound = new Inbound({
      opening: opening.type,
      own,
      listener,
      memory,
      window: new ReceiveWindow(options.initialWindow, options.maxWindow, budget, share.client),
      sendCredit: (bytes) => owner.sendCredit(this, bytes),
    });
    this.#outbound = new Outbound({
      id,
      opening: opening.type,
      credit: sendCredit,
      marks: options,
      memory,
      listener,
    });
  }

  /** Body bytes received so far. */
  get bytesIn(): number {
    return this.#inbound.bytes;
  }

  /** Body bytes sent so far; those in the queue are not counted. */
  get bytesOut(): number {
    return this.#outbound.bytes;
  }

  /** Whether the stream is over; why, `closed` said. */
  get over(): boolean {
    return this.#state.name === "closed";
  }

  /** What the peer said when it reset the stream: its own words, which prove nothing. */
  get peerReset(): SallyportError | undefined {
    return this.#peerReset;
  }

  /** Sets who hears of events, in place of an earlier one. A stream that is over tells `closed` at once. */
  listen(events: StreamEvents): void {
    this.#listener.listen(events);
    if (this.#state.name === "closed") this.#listener.closed(this.#state.error);
  }

  /**
   * Lets messages, bytes and the peer's end flow; until the first call they wait, within the window. A stream
   * whose both ends are on the wire does not wait for it: what is held goes to whoever listens then, or to
   * nobody, so that no stream is kept for a room that left it.
   */
  resume(): void {
    this.#inbound.resume();
    this.#closeIfEnded();
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
    this.#push(undefined, undefined, { end: true, trailers });
  }

  /** Ends both directions at once and tells the peer why. A stream that is over stays as it is. */
  reset(code: ErrorCode, message: string): void {
    this.#reset(new SallyportError(code, message), message);
  }

  /**
   * Says that `count` of the bytes from `data` were handed on, so that the peer may send as many more. More than
   * there were is a fault of the room, as if its callback had thrown.
   */
  consumed(count: number): void {
    if (this.over) return;
    try {
      this.#inbound.consumed(count);
    } catch (reason) {
      this.failed(reason);
    }
  }

  /**
   * Says that the room keeps `bytes` for this stream beyond the bytes from `data` that it did not hand on, such as
   * the objects of writes that wait; a negative number gives back (SPEC.md 5.5).
   */
  charge(bytes: number): void {
    this.#memory.add(bytes);
  }

  // What follows is for the session only.

  /** Whether a frame can be sent now. */
  get sendable(): boolean {
    return !this.over && this.#outbound.sendable;
  }

  /** Bytes that the stream holds of the process's memory (SPEC.md 5.5). */
  get held(): number {
    return this.#memory.held;
  }

  /** Whether this end has sent anything on it. */
  get answered(): boolean {
    return this.#outbound.begun;
  }

  /** Queues the opening message, which was checked before. */
  begin(bytes?: Uint8Array, options?: EndOptions): void {
    this.#outbound.push(this.opening, bytes, options);
    this.#owner.ready(this);
  }

  /** Takes the next frame, its body at most `limit` bytes; only when `sendable`. */
  takeFrame(limit: number): OutgoingFrame {
    this.#beKnown();
    return this.#outbound.take(limit);
  }

  /** A frame from `takeFrame` was written: room may have come, or the stream's end. */
  frameTaken(): void {
    this.#outbound.taken();
    this.#closeIfEnded();
  }

  /** The peer gave credit; throws `flow_control_violation`. */
  widen(bytes: number): void {
    if (this.over) return;
    this.#outbound.widen(bytes);
    this.#owner.ready(this);
  }

  /**
   * A message of the peer began whose body has this length.
   * @throws SallyportError `flow_control_violation`, which ends the connection.
   * @returns false when the message broke the rules of its stream, which was reset for it (SPEC.md 4.2, 4.4).
   */
  receiveHead(incoming: IncomingStreamMessage, bodyLength: number): boolean {
    this.#beKnown();
    const fault = this.#inbound.head(incoming, bodyLength);
    if (fault !== undefined) this.reset("protocol_violation", fault);
    else this.#tell(incoming.message);
    return fault === undefined;
  }

  /** A part of that message's body came. */
  receiveBody(bytes: Uint8Array): void {
    if (!this.over) this.#inbound.body(bytes);
  }

  /** The peer half-closed. */
  receiveEnd(trailers: HeaderList | undefined): void {
    if (this.over) return;
    this.#inbound.end(trailers);
    this.#closeIfEnded();
  }

  /** Whether the peer left without having looked at it, so that it may be opened elsewhere (SPEC.md 3.4). */
  get unseen(): boolean {
    return this.#unseen;
  }

  /** Ends the stream because of `error`: the peer leaves and never looked at it (SPEC.md 3.4). */
  failUnseen(error: SallyportError): void {
    this.#unseen = !this.over;
    this.fail(error);
  }

  /** Ends the stream because the peer reset it with `error`. */
  resetByPeer(error: SallyportError): void {
    if (this.over) return;
    this.#peerReset = error;
    this.#close(error);
  }

  /** Ends the stream because of `error`, without a word to the peer. */
  fail(error: SallyportError): void {
    if (!this.over) this.#close(error);
  }

  /** Ends the stream because its room threw `reason`. */
  failed(reason: unknown): void {
    const error = roomFault(`stream ${this.id}`, reason);
    this.#owner.fault(error);
    this.#reset(error, FAULT_MESSAGE);
  }

  #setState(state: State): void {
    this.#state = state;
  }

  /** From here on a reset has to be told. */
  #beKnown(): void {
    if (this.#state === IDLE) this.#setState(OPEN);
  }

  #push(message: StreamMessage | undefined, bytes?: Uint8Array, options?: EndOptions): boolean {
    if (this.over || !this.#outbound.open) return true;
    if (message !== undefined || options?.trailers !== undefined) {
      try {
        checkOutgoing(message, options?.trailers);
      } catch (reason) {
        const { code, message: problem } = SallyportError.from(reason);
        this.reset(code, problem);
        return true;
      }
    }
    const goOn = this.#outbound.push(message, bytes, options);
    this.#owner.ready(this);
    return goOn;
  }

  /** Plain data has no event of its own, and the opening message came with the stream. */
  #tell(message: StreamMessage): void {
    if (message.type === "connect_data" || message.type === "websocket_message") return;
    if (message !== this.opening) this.#inbound.message(message);
  }

  #closeIfEnded(): void {
    if (!this.#outbound.ended || !this.#inbound.ended || this.over) return;
    if (!this.#inbound.delivered) this.#inbound.resume();
    // A room that resumes in a callback is told of the end a moment later.
    if (this.#inbound.delivered && !this.over) this.#close(undefined);
  }

  #reset(error: SallyportError, message: string): void {
    if (this.over) return;
    // To a peer that never saw the stream, a reset would be a violation (SPEC.md 4.4).
    if (this.#state !== IDLE) this.#owner.sendReset(this, error.code, message);
    this.#close(error);
  }

  #close(error: SallyportError | undefined): void {
    this.#setState({ name: "closed", error });
    this.#inbound.stop();
    this.#outbound.stop();
    this.#memory.release();
    this.#owner.finished(this);
    this.#listener.closed(error);
  }
}
