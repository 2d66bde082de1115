import { type ErrorCode, SallyportError } from "../../errors.ts";
import type { HeaderList, OpeningMessage, StreamMessage } from "../../protocol/messages.ts";
import { RecentBytes } from "../flow/recent_bytes.ts";
import { messageCost, StreamMemory } from "../flow/stream_memory.ts";
import { ReceiveWindow } from "../flow/window.ts";
import type { IncomingStreamMessage } from "../wire/incoming.ts";
import { checkOutgoing } from "../wire/outgoing.ts";
import { FrameOrder, type FrameReader, type FrameSink } from "./frame_order.ts";
import { ReceiveHalf } from "./receive_half.ts";
import { SendHalf } from "./send_half.ts";
import { SentNumbers } from "./sent_numbers.ts";
import type { OutgoingFrame } from "./send_queue.ts";
import type { StreamInit, StreamOwner } from "./stream_owner.ts";
import type { EndOptions, MuxStream, StreamEvents } from "./stream.ts";
import { consumerError, INTERNAL_ERROR_MESSAGE, StreamEmitter } from "./stream_emitter.ts";

/** Where a stream is in its life. How far each direction is, `ReceiveHalf` and `SendHalf` know. */
type State = { name: "open" } | { name: "closed"; error: SallyportError | undefined };

/** A stream that its session feeds with the peer's messages, and from which it takes frames to send. */
export class FramedStream implements MuxStream, FrameSink {
  readonly id: number;
  readonly opening: OpeningMessage;
  readonly isLocal: boolean;
  readonly #owner: StreamOwner<FramedStream>;
  readonly #emitter: StreamEmitter;
  readonly #memory: StreamMemory;
  readonly #receiveHalf: ReceiveHalf;
  readonly #sendHalf: SendHalf;
  readonly #frames: FrameOrder;
  /** How much was sent lately; what was sent and not yet acknowledged, and what it costs to keep that, in bytes. */
  readonly recent = new RecentBytes();
  readonly sent = new SentNumbers();
  kept = 0;
  /** The only link by which it may send: that of its opening message, until it was acknowledged (SPEC.md 4.4). */
  pinnedTo: object | undefined;
  #state: State = { name: "open" };
  #isKnownToPeer = false;
  #unprocessed = false;
  #peerReset: SallyportError | undefined;

  constructor(init: StreamInit<FramedStream>) {
    const { id, opening, own, owner, options, budget, share } = init;
    this.id = id;
    this.opening = opening;
    this.isLocal = init.isLocal ?? false;
    this.#owner = owner;
    const emitter = this.#emitter = new StreamEmitter((reason) => this.consumerThrew(reason));
    const memory = this.#memory = new StreamMemory(share);
    memory.add(messageCost(opening));
    const common = { opening: opening.type, emitter, memory };
    this.#sendHalf = new SendHalf({ ...common, id, credit: init.sendCredit, marks: options });
    this.#receiveHalf = new ReceiveHalf({
      ...common,
      own,
      window: new ReceiveWindow(options.initialWindow, options.maxWindow, budget, share.client),
      sendCredit: (total) => owner.sendCredit(this, total),
    });
    this.#frames = new FrameOrder(this);
  }

  get bytesIn(): number {
    return this.#receiveHalf.bytes;
  }

  get bytesOut(): number {
    return this.#sendHalf.bytes;
  }

  get held(): number {
    return this.#memory.held;
  }

  get over(): boolean {
    return this.#state.name === "closed";
  }

  get answered(): boolean {
    return this.#sendHalf.begun;
  }

  get peerReset(): SallyportError | undefined {
    return this.#peerReset;
  }

  get unprocessed(): boolean {
    return this.#unprocessed;
  }

  listen(events: StreamEvents): void {
    this.#emitter.listen(events);
    if (this.#state.name === "closed") this.#emitter.closed(this.#state.error);
  }

  resume(): void {
    this.#receiveHalf.resume();
    this.#closeIfEnded();
  }

  send(message: StreamMessage, bytes?: Uint8Array, options?: EndOptions): boolean {
    return this.#push(message, bytes, options);
  }

  write(bytes: Uint8Array): boolean {
    // Here and not only later: most of what fills the memory comes from sockets that are read in one turn.
    this.#memory.settle();
    return this.#push(undefined, bytes);
  }

  end(trailers?: HeaderList): void {
    this.#push(undefined, undefined, { end: true, trailers });
  }

  reset(code: ErrorCode, message: string): void {
    this.#reset(new SallyportError(code, message), message);
  }

  consumed(count: number): void {
    if (this.over) return;
    try {
      this.#receiveHalf.consumed(count);
      this.#closeIfEnded();
    } catch (reason) {
      this.consumerThrew(reason);
    }
  }

  charge(bytes: number): void {
    this.#memory.add(bytes);
  }

  /** Body bytes that wait to be sent. */
  get queued(): number {
    return this.#sendHalf.queued;
  }

  /** Whether nothing about it was sent or received, so that the peer does not know of it. */
  get isIdle(): boolean {
    return !this.#isKnownToPeer;
  }

  /** Why it was closed before its ends, so that what was sent on it need not arrive; undefined otherwise. */
  get error(): SallyportError | undefined {
    return this.#state.name === "closed" ? this.#state.error : undefined;
  }

  /** Whether a frame can be sent now. */
  get sendable(): boolean {
    return !this.over && this.#sendHalf.sendable && this.sent.hasRoom;
  }

  /** Whether all bytes of both directions were transferred, so that nothing is left to do for it. */
  get transferred(): boolean {
    return this.#sendHalf.ended && this.#receiveHalf.delivered;
  }

  /** Queues the opening message, which was checked before. */
  begin(bytes?: Uint8Array, options?: EndOptions): void {
    this.#sendHalf.push(this.opening, bytes, options);
    this.#owner.ready(this);
  }

  /** Takes the next frame, its body at most `limit` bytes; only when `sendable`. */
  takeFrame(limit: number): OutgoingFrame {
    this.#isKnownToPeer = true;
    const frame = this.#sendHalf.take(limit);
    this.sent.add(frame.n);
    return frame;
  }

  /** A frame from `takeFrame` arrived at the peer: this may make room for further numbers. */
  frameArrived(n: number): void {
    this.sent.remove(n);
    this.#owner.ready(this);
  }

  /** A frame from `takeFrame` was written: this may make room, or end the stream. */
  frameWritten(): void {
    this.#sendHalf.frameWritten();
    this.#closeIfEnded();
  }

  /** The peer raised the total of body bytes; returns by how much. Throws `flow_control_violation`. */
  raiseCredit(total: number): number {
    if (this.over) return 0;
    const more = this.#sendHalf.raiseCredit(total);
    if (more > 0) this.#owner.ready(this);
    return more;
  }

  /**
   * A message of the peer begins to arrive on a link, with a body of this length. Returns what takes the body;
   * undefined when the message already arrived.
   * @throws SallyportError `flow_control_violation` or `protocol_violation`, which end the session.
   */
  receive(incoming: IncomingStreamMessage, bodyLength: number): FrameReader | undefined {
    this.#isKnownToPeer = true;
    return this.#frames.begin(incoming, bodyLength);
  }

  admit(bodyLength: number): void {
    this.#receiveHalf.admit(bodyLength);
  }

  receiveHead(incoming: IncomingStreamMessage, bodyLength: number): boolean {
    const problem = this.#receiveHalf.head(incoming, bodyLength);
    if (problem === undefined) {
      this.#deliver(incoming.message);
      return !this.over;
    }
    this.reset("protocol_violation", problem);
    this.#owner.misused(this);
    return false;
  }

  receiveBody(bytes: Uint8Array): void {
    if (!this.over) this.#receiveHalf.body(bytes);
  }

  receiveEnd(trailers: HeaderList | undefined): void {
    if (this.over) return;
    this.#receiveHalf.end(trailers);
    this.#closeIfEnded();
  }

  /** Closes the stream with `error`: the peer leaves without having processed it (SPEC.md 3.4). */
  failUnprocessed(error: SallyportError): void {
    this.#unprocessed = !this.over;
    this.fail(error);
  }

  /** Closes the stream because the peer reset it with `error`. */
  resetByPeer(error: SallyportError): void {
    if (this.over) return;
    this.#peerReset = error;
    this.#close(error);
  }

  /** Closes the stream with `error`, without a message to the peer. */
  fail(error: SallyportError): void {
    if (!this.over) this.#close(error);
  }

  /** Resets the stream because its consumer threw `reason`. */
  consumerThrew(reason: unknown): void {
    const error = consumerError(`stream ${this.id}`, reason);
    this.#owner.consumerError(error);
    this.#reset(error, INTERNAL_ERROR_MESSAGE);
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #push(message: StreamMessage | undefined, bytes?: Uint8Array, options?: EndOptions): boolean {
    if (this.over || !this.#sendHalf.open) return true;
    try {
      checkOutgoing(message, options?.trailers);
    } catch (reason) {
      const { code, message: problem } = SallyportError.from(reason);
      this.reset(code, problem);
      return true;
    }
    const hasRoom = this.#sendHalf.push(message, bytes, options);
    this.#owner.ready(this);
    return hasRoom;
  }

  /** Plain data has no event of its own, and the opening message came with the stream. */
  #deliver(message: StreamMessage): void {
    if (message.type === "connect_data" || message.type === "websocket_message") return;
    if (message !== this.opening) this.#receiveHalf.message(message);
  }

  #closeIfEnded(): void {
    if (!this.#sendHalf.ended || !this.#receiveHalf.ended || this.over) return;
    if (!this.#receiveHalf.delivered) this.#receiveHalf.resume();
    // A consumer that resumes in a callback gets the end later. Bytes count, and may be limited, until consumed.
    if (this.over || !this.#receiveHalf.delivered) return;
    if (this.#receiveHalf.allConsumed) this.#close(undefined);
    else this.#owner.lingers(this);
  }

  #reset(error: SallyportError, message: string): void {
    if (this.over) return;
    // To a peer that never saw the stream, a reset would be a violation (SPEC.md 4.4).
    if (this.#isKnownToPeer) this.#owner.sendReset(this, error.code, message);
    this.#close(error);
  }

  #close(error: SallyportError | undefined): void {
    this.#setState({ name: "closed", error });
    this.#frames.stop();
    this.#receiveHalf.stop();
    this.#sendHalf.stop();
    this.#memory.release();
    this.#owner.closed(this);
    this.#emitter.closed(error);
  }
}
