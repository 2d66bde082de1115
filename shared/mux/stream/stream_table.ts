import { type ErrorCode, SallyportError } from "../../errors.ts";
import {
  isOpening,
  type OpeningMessage,
  type Payload,
  type SessionMessage,
} from "../../protocol/messages.ts";
import type { HeldShare } from "../flow/held_memory.ts";
import { type IncomingStreamMessage, protocolViolation } from "../wire/incoming.ts";
import { checkOutgoing } from "../wire/outgoing.ts";
import { FramedStream } from "./framed_stream.ts";
import type { EndOptions } from "./stream.ts";
import { StreamIds } from "./stream_ids.ts";
import type { StreamOwner } from "./stream_owner.ts";
import type { Received, StreamTableInit } from "./stream_table_init.ts";

const LATE: Received = { fate: "late" };
const REPEATED: Received = { fate: "repeated" };
const REFUSED: Received = { fate: "refused" };

/** The streams of a session, by id (SPEC.md 4). */
export class StreamTable implements StreamOwner<FramedStream> {
  readonly #init: StreamTableInit;
  readonly #streams = new Map<number, FramedStream>();
  readonly #ids: StreamIds;
  readonly #share: HeldShare;
  #ownCount = 0;
  /** Streams that are closed for the peer, which may open others instead, by who opened them; oldest first. */
  readonly #lingering = { own: new Set<FramedStream>(), peers: new Set<FramedStream>() };
  /** The session is over. */
  #over = false;
  /** No stream of this end has a higher id: a `goaway` with a `last_stream` from here on closes none. */
  #highestOwn = Infinity;
  #refusal: ErrorCode | undefined;
  #limits: Pick<Payload<"hello">, "window" | "max_streams"> = { window: 0, max_streams: 0 };

  constructor(init: StreamTableInit) {
    this.#init = init;
    this.#share = init.budget.held.share(() => this.#shed(), init.client);
    this.#ids = new StreamIds(init.role);
  }

  /** Open streams of both ends. */
  get size(): number {
    return this.#streams.size;
  }

  /** Streams that still need a link. */
  get transferring(): number {
    return this.#streams.size - this.#lingering.own.size - this.#lingering.peers.size;
  }

  /** The highest id of a stream of the peer; 0 before the first. */
  get lastAccepted(): number {
    return this.#ids.lastAccepted;
  }

  /** Streams that this end may still open, by the peer's limit. */
  get capacity(): number {
    return this.#limits.max_streams - this.#ownCount + this.#lingering.own.size;
  }

  /** Sets the peer's limits from its `hello`. */
  setLimits(limits: Pick<Payload<"hello">, "window" | "max_streams">): void {
    this.#limits = limits;
  }

  /** From now on, resets every stream that the peer opens with this code. */
  refuseStreams(code: ErrorCode): void {
    this.#refusal = code;
  }

  /** The open stream with this id. */
  get(id: number): FramedStream | undefined {
    return this.#streams.get(id);
  }

  /** Opens a stream; throws `limit_reached` at the peer's limit, `bad_request` for an invalid message. */
  open(opening: OpeningMessage, bytes?: Uint8Array, options?: EndOptions): FramedStream {
    if (this.capacity <= 0) {
      const { max_streams } = this.#limits;
      throw new SallyportError("limit_reached", `Cannot open a stream: the peer allows ${max_streams}`);
    }
    checkOutgoing(opening, options?.trailers);
    this.#ownCount++;
    const stream = this.#add(this.#ids.next(), opening);
    stream.begin(bytes, options);
    return stream;
  }

  /**
   * A message of the peer begins to arrive: finds its stream, or makes it.
   * @throws SallyportError a violation that ends the session (SPEC.md 4.1, 4.4, 4.8, 5.1).
   */
  receive(incoming: IncomingStreamMessage, bodyLength: number): Received {
    const { id, message } = incoming;
    if (isOpening(message) && this.#isNew(incoming)) return this.#accept(incoming, message, bodyLength);
    const stream = this.find(id);
    if (stream === undefined) return isOpening(message) ? REPEATED : LATE;
    const reader = stream.receive(incoming, bodyLength);
    return reader === undefined ? REPEATED : { fate: "taken", reader };
  }

  /** The open stream with this id, undefined if it is closed; throws `protocol_violation` if it never was opened. */
  find(id: number): FramedStream | undefined {
    const stream = this.#streams.get(id);
    if (stream === undefined) this.#ids.requireUsed(id);
    return stream;
  }

  /**
   * Closes a stream that the peer reset. Returns false when it was closed already.
   * @throws SallyportError `protocol_violation` for one that was never opened, `limit_reached` for too many resets.
   */
  resetByPeer(id: number, error: SallyportError): boolean {
    const stream = this.find(id);
    if (stream === undefined) return false;
    const isAbandoned = !stream.answered;
    stream.resetByPeer(error);
    if (isAbandoned) this.#countAbandoned(stream);
    return true;
  }

  /** Resets a stream for a message of unknown type (SPEC.md 3.3). */
  refuseUnknown(id: number): void {
    const stream = this.find(id);
    if (stream === undefined) return;
    stream.reset("protocol_violation", "message of an unknown type");
    this.#countAbandoned(stream);
  }

  /**
   * Closes the streams of this end above `lastId`: the peer did not process them (SPEC.md 3.4). This end must not open
   * streams afterwards. Iterates over the streams only when one may have to close, since a peer can repeat `goaway`.
   */
  failOwnAbove(lastId: number, error: SallyportError): void {
    if (this.#ownCount === 0 || lastId >= this.#highestOwn) return;
    this.#highestOwn = 0;
    for (const [id, stream] of this.#streams) {
      if (!this.#ids.isOwn(id)) continue;
      if (id > lastId) stream.failUnprocessed(error);
      else this.#highestOwn = id;
    }
  }

  /**
   * Closes every stream, except those whose bytes have all arrived: these close once they are consumed. No stream may
   * be opened afterwards.
   * @param byPeer Whether the peer chose `error`.
   */
  failAll(error: SallyportError, byPeer = false): void {
    for (const stream of [...this.#streams.values()]) {
      if (stream.transferred) continue;
      if (byPeer) stream.resetByPeer(error);
      else stream.fail(error);
    }
    this.#over = true;
    this.#closeIfOver();
  }

  /** Resets every open stream. */
  resetAll(code: ErrorCode, message: string): void {
    for (const stream of [...this.#streams.values()]) stream.reset(code, message);
  }

  /** Counts `bytes` more, or fewer, held for a partial message; all are given back before `failAll`. */
  holdPartialMessage(bytes: number): void {
    this.#share.change(bytes);
  }

  ready(stream: FramedStream): void {
    this.#init.sender.ready(stream);
  }

  sendCredit(stream: FramedStream, total: number): void {
    this.#init.sender.control({ type: "window", payload: { stream: stream.id, total } }, stream);
  }

  sendReset(stream: FramedStream, code: ErrorCode, message: string): void {
    this.#init.sender.control(reset(stream.id, code, message), stream);
  }

  misused(stream: FramedStream): void {
    this.#countAbandoned(stream);
  }

  consumerError(error: SallyportError): void {
    this.#init.consumerError(error);
  }

  /** As many streams of the peer may linger as may be open; beyond that the oldest is reset. */
  lingers(stream: FramedStream): void {
    const { own, peers } = this.#lingering;
    if (this.#ids.isOwn(stream.id)) own.add(stream);
    else peers.add(stream);
    if (peers.size <= this.#init.options.maxStreams) return;
    const [oldest] = peers;
    oldest?.reset("limit_reached", "Cannot continue stream: too many streams have unconsumed bytes");
  }

  closed(stream: FramedStream): void {
    this.#init.sender.remove(stream);
    this.#streams.delete(stream.id);
    if (stream.isIdle) this.#ids.giveBack(stream.id);
    this.#lingering.own.delete(stream);
    this.#lingering.peers.delete(stream);
    if (this.#ids.isOwn(stream.id)) this.#ownCount--;
    this.#init.trace?.life?.("stream ended", {
      stream: stream.id,
      sent_bytes: stream.bytesOut,
      received_bytes: stream.bytesIn,
      code: stream.error?.code,
      error: stream.error?.message,
    });
    this.#init.streamClosed();
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (!this.#over || this.#streams.size > 0) return;
    this.#countIds(-this.#ids.bytes);
    this.#share.close();
  }

  /** Ids that arrived before lower ones are counted against a peer, not in a process that is its own peer. */
  #countIds(bytes: number): void {
    if (this.#init.isLocal !== true) this.#share.change(bytes);
  }

  /** Whether an opening message is not a copy of one that arrived. */
  #isNew({ id, n }: IncomingStreamMessage): boolean {
    if (n !== 0) throw protocolViolation(`stream ${id} opens with number ${n}`);
    const before = this.#ids.bytes;
    const isNew = this.#ids.accept(id);
    this.#countIds(this.#ids.bytes - before);
    return isNew;
  }

  #accept(incoming: IncomingStreamMessage, opening: OpeningMessage, length: number): Received {
    const { maxStreams } = this.#init.options;
    const peerCount = this.#streams.size - this.#ownCount - this.#lingering.peers.size;
    const code = this.#refusal ?? (peerCount >= maxStreams ? "limit_reached" : undefined);
    if (code !== undefined) {
      const why = code === "limit_reached" ? `at most ${maxStreams} streams` : "no new streams";
      this.#init.sender.control(reset(incoming.id, code, why));
      this.#init.streamAbandoned();
      return REFUSED;
    }
    const stream = this.#add(incoming.id, opening);
    const reader = stream.receive(incoming, length);
    return stream.over ? REFUSED : { fate: "taken", reader, opened: stream };
  }

  #add(id: number, opening: OpeningMessage): FramedStream {
    const { options, budget, isLocal = false } = this.#init;
    const stream = new FramedStream({
      id,
      opening,
      own: this.#ids.isOwn(id),
      owner: this,
      options,
      budget,
      share: this.#share,
      sendCredit: this.#limits.window,
      isLocal,
    });
    this.#streams.set(id, stream);
    this.#init.trace?.life?.("stream opened", { stream: id, kind: opening.type });
    return stream;
  }

  /** Only streams that the peer opened: it may refuse those of this end. */
  #countAbandoned({ id }: FramedStream): void {
    if (!this.#ids.isOwn(id)) this.#init.streamAbandoned();
  }

  /** What messages and frames cost until they are acknowledged; negative when they were. */
  keep(bytes: number): void {
    this.#share.change(bytes);
  }

  /** Memory ran out: resets the largest stream, or ends the session if its streams hold less than half (SPEC.md 5.5). */
  #shed(): void {
    let largest: FramedStream | undefined;
    let held = 0;
    let own = this.#share.held;
    for (const stream of this.#streams.values()) {
      own -= stream.held + stream.kept;
      if (stream.held + stream.kept <= held) continue;
      largest = stream;
      held = stream.held + stream.kept;
    }
    if (own > this.#share.held / 2) return this.#init.tooLarge?.(own);
    largest?.reset("limit_reached", `Cannot continue stream: its ${held} bytes exceed the memory limit`);
  }
}

function reset(stream: number, code: ErrorCode, message: string): SessionMessage {
  return { type: "reset", payload: { stream, code, message: message.slice(0, 1_024) } };
}
