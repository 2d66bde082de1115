import { type ErrorCode, SallyportError } from "../errors.ts";
import { isOpening, type OpeningMessage, type Payload } from "../protocol/messages.ts";
import type { IncomingStreamMessage } from "./incoming.ts";
import type { HeldShare } from "./held_memory.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import type { SessionOptions } from "./options.ts";
import type { FrameSender } from "./frame_sender.ts";
import type { EndOptions } from "./outbox.ts";
import { checkOutgoing } from "./outgoing.ts";
import { MuxStream } from "./stream.ts";
import type { StreamOwner } from "./stream_owner.ts";
import { violation } from "./violation.ts";

/** Which end of the connection a session is: the dialer's streams have odd ids (SPEC.md 4.1). */
export type Role = "dialer" | "listener";

/** What makes a table; only a session does. */
export interface StreamTableInit {
  role: Role;
  options: SessionOptions;
  budget: MemoryBudget;
  /** Whose streams they are, for its share of the memory. @default {all are of one client} */
  client?: string | undefined;
  sender: FrameSender;
  /** A callback of a stream's room failed. */
  fault(error: SallyportError): void;
  /** The peer opened a stream for nothing (SPEC.md 4.6); may throw, which ends the connection. */
  wasted(): void;
  /** A stream has ended and is forgotten. */
  finished(): void;
  /** Whether the peer is in this process. @default false */
  isLocal?: boolean;
}

/** Finds a message's stream, and whether the message opened it. */
export interface Found {
  stream: MuxStream;
  opened: boolean;
}

/** The streams of a session, by id (SPEC.md 4). */
export class StreamTable implements StreamOwner {
  readonly #init: StreamTableInit;
  readonly #streams = new Map<number, MuxStream>();
  readonly #ownParity: number;
  readonly #share: HeldShare;
  #nextId: number;
  #lastAccepted = 0;
  #ownCount = 0;
  /** No stream of this end has a higher id: a `goaway` for one above has nothing to do. */
  #highestOwn = Infinity;
  #refusal: ErrorCode | undefined;
  #limits: Pick<Payload<"hello">, "window" | "max_streams"> = { window: 0, max_streams: 0 };

  constructor(init: StreamTableInit) {
    this.#init = init;
    this.#share = init.budget.held.share(() => this.#shed(), init.client);
    this.#ownParity = init.role === "dialer" ? 1 : 0;
    this.#nextId = init.role === "dialer" ? 1 : 2;
  }

  /** Streams that are open, whoever opened them. */
  get size(): number {
    return this.#streams.size;
  }

  /** The highest id of a stream of the peer; 0 before the first. */
  get lastAccepted(): number {
    return this.#lastAccepted;
  }

  /** Streams of this end that the peer's limit still lets open. */
  get room(): number {
    return this.#limits.max_streams - this.#ownCount;
  }

  /** Takes the peer's limits from its `hello`. */
  greet(limits: Pick<Payload<"hello">, "window" | "max_streams">): void {
    this.#limits = limits;
  }

  /** Accepts no further stream of the peer: an opening message is answered with a reset of this code. */
  refuse(code: ErrorCode): void {
    this.#refusal = code;
  }

  /** The open stream with this id. */
  get(id: number): MuxStream | undefined {
    return this.#streams.get(id);
  }

  /** Opens a stream; throws `limit_reached` at the peer's limit, `bad_request` for what cannot travel. */
  open(opening: OpeningMessage, bytes?: Uint8Array, options?: EndOptions): MuxStream {
    if (this.room <= 0) {
      const { max_streams } = this.#limits;
      throw new SallyportError("limit_reached", `Cannot open a stream: the peer allows ${max_streams}`);
    }
    checkOutgoing(opening, options?.trailers);
    const id = this.#nextId;
    this.#nextId += 2;
    this.#ownCount++;
    const stream = this.#add(id, opening);
    stream.begin(bytes, options);
    return stream;
  }

  /**
   * Finds the stream of a message of the peer, or makes it. Undefined when nobody wants the message: its
   * stream is over, or was refused or reset just now.
   * @throws SallyportError a violation that ends the connection (SPEC.md 4.1, 4.4, 5.1).
   */
  receive(incoming: IncomingStreamMessage, bodyLength: number): Found | undefined {
    const { id, message } = incoming;
    if (isOpening(message)) return this.#accept(incoming, message, bodyLength);
    const stream = this.find(id);
    if (stream === undefined) return undefined;
    if (stream.receiveHead(incoming, bodyLength)) return { stream, opened: false };
    this.#countWasted(stream);
    return undefined;
  }

  /** The open stream with this id, undefined if it is over; throws `protocol_violation` if it never was. */
  find(id: number): MuxStream | undefined {
    const stream = this.#streams.get(id);
    if (stream !== undefined) return stream;
    const last = this.#isOwn(id) ? this.#nextId - 2 : this.#lastAccepted;
    if (id > last) throw violation(`stream ${id} was never opened`);
    return undefined;
  }

  /**
   * Ends a stream that the peer reset. Returns false when it was over already.
   * @throws SallyportError `protocol_violation` for one that never was, `limit_reached` for the one too many.
   */
  resetByPeer(id: number, error: SallyportError): boolean {
    const stream = this.find(id);
    if (stream === undefined) return false;
    const wasted = !stream.answered;
    stream.resetByPeer(error);
    if (wasted) this.#countWasted(stream);
    return true;
  }

  /** Resets a stream for a message of the peer that this version does not know (SPEC.md 3.3). */
  refuseUnknown(id: number): void {
    const stream = this.find(id);
    if (stream === undefined) return;
    stream.reset("protocol_violation", "message of an unknown type");
    this.#countWasted(stream);
  }

  /**
   * Ends those streams of this end that are above `lastId`: the peer never looked at them (SPEC.md 3.4). This end must
   * not open streams afterwards. Looks at the streams only when one may have to end, since a peer can repeat itself.
   */
  failOwnAbove(lastId: number, error: SallyportError): void {
    if (this.#ownCount === 0 || lastId >= this.#highestOwn) return;
    this.#highestOwn = 0;
    for (const [id, stream] of this.#streams) {
      if (!this.#isOwn(id)) continue;
      if (id > lastId) stream.failUnseen(error);
      else this.#highestOwn = id;
    }
  }

  /**
   * Ends every stream, for good.
   * @param byPeer Whether the peer chose `error`.
   */
  failAll(error: SallyportError, byPeer = false): void {
    for (const stream of [...this.#streams.values()]) {
      if (byPeer) stream.resetByPeer(error);
      else stream.fail(error);
    }
    this.#share.close();
  }

  ready(stream: MuxStream): void {
    this.#init.sender.ready(stream);
  }

  sendCredit(stream: MuxStream, bytes: number): void {
    this.#init.sender.control({ type: "window", payload: { stream: stream.id, bytes } });
  }

  sendReset(stream: MuxStream, code: ErrorCode, message: string): void {
    this.#reset(stream.id, code, message);
  }

  fault(error: SallyportError): void {
    this.#init.fault(error);
  }

  finished(stream: MuxStream): void {
    this.#init.sender.remove(stream);
    this.#streams.delete(stream.id);
    if (this.#isOwn(stream.id)) this.#ownCount--;
    this.#init.finished();
  }

  #accept(incoming: IncomingStreamMessage, opening: OpeningMessage, bodyLength: number): Found | undefined {
    const { id } = incoming;
    if (this.#isOwn(id)) throw violation(`stream ${id} is not the peer's to open`);
    if (id <= this.#lastAccepted) throw violation(`stream ${id} is not above ${this.#lastAccepted}`);
    this.#lastAccepted = id;
    const { maxStreams } = this.#init.options;
    const peerCount = this.#streams.size - this.#ownCount;
    const code = this.#refusal ?? (peerCount >= maxStreams ? "limit_reached" : undefined);
    if (code !== undefined) {
      this.#reset(id, code, code === "limit_reached" ? `at most ${maxStreams} streams` : "no new streams");
      this.#init.wasted();
      return undefined;
    }
    const stream = this.#add(id, opening);
    return stream.receiveHead(incoming, bodyLength) ? { stream, opened: true } : undefined;
  }

  #add(id: number, opening: OpeningMessage): MuxStream {
    const { options, budget, isLocal = false } = this.#init;
    const stream = new MuxStream({
      id,
      opening,
      own: this.#isOwn(id),
      owner: this,
      options,
      budget,
      share: this.#share,
      sendCredit: this.#limits.window,
      isLocal,
    });
    this.#streams.set(id, stream);
    return stream;
  }

  /** Only the peer's own streams: those of this end it has a right to refuse. */
  #countWasted({ id }: MuxStream): void {
    if (!this.#isOwn(id)) this.#init.wasted();
  }

  /** Memory has run out: the stream that holds most has to go (SPEC.md 5.5). */
  #shed(): void {
    let largest: MuxStream | undefined;
    for (const stream of this.#streams.values()) {
      if (largest === undefined || stream.held > largest.held) largest = stream;
    }
    largest?.reset("limit_reached", `Cannot go on: the ${largest.held} bytes of the stream are too much`);
  }

  #reset(id: number, code: ErrorCode, message: string): void {
    this.#init.sender.control({
      type: "reset",
      payload: { stream: id, code, message: message.slice(0, 1_024) },
    });
  }

  #isOwn(id: number): boolean {
    return id % 2 === this.#ownParity;
  }
}
