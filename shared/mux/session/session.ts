/**
 * A session: many streams over one link or several (SPEC.md).
 *
 * @example Fetch a page through the server at the other end of an authenticated connection
 * ```ts
 * import type { Socket } from "node:net";
 * import { SocketTransport } from "../../net/socket_transport.ts";
 * import { systemClock } from "../../system_clock.ts";
 * import { Session } from "./session.ts";
 *
 * export function fetchPage(socket: Socket, key: string): void {
 *   const events = { open: () => sendRequest(session), consumerError: console.error };
 *   const session: Session = new Session({ role: "dialer", key, clock: systemClock, events });
 *   session.dialled(new SocketTransport(socket));
 * }
 * function sendRequest(session: Session): void {
 *   const stream = session.open({ type: "connect_request", payload: { host: "example.org", port: 80 } });
 *   const data = (bytes: Uint8Array) => stream.consumed(bytes.byteLength);
 *   stream.listen({ data, closed: () => session.drain() });
 *   stream.resume();
 *   stream.write(new TextEncoder().encode("GET / HTTP/1.0\r\nHost: example.org\r\n\r\n"));
 *   stream.end();
 * }
 * ```
 *
 * @module
 */
import { type ErrorCode, SallyportError } from "../../errors.ts";
import type { OpeningMessage, Payload } from "../../protocol/messages.ts";
import { MemoryBudget } from "../flow/memory_budget.ts";
import { helloOf, type SessionOptions, sessionOptions } from "../options.ts";
import type { EndOptions, MuxStream } from "../stream/stream.ts";
import { INTERNAL_ERROR_MESSAGE } from "../stream/stream_emitter.ts";
import { StreamTable } from "../stream/stream_table.ts";
import type { Transport } from "../transport.ts";
import { goaway } from "../link/goaway.ts";
import { Link, type LinkInit, type LinkOwner } from "../link/link.ts";
import { type LinkCounts, LinkSet } from "./link_set.ts";
import type { LifecycleMessage } from "../link/receiver.ts";
import type { SessionFigures } from "./session_figures.ts";
import { SessionEmitter } from "./session_events.ts";
import type { SessionInit } from "./session_init.ts";
import { SessionLinks } from "./session_links.ts";

/** Bytes by which the windows of a session's streams may grow, unless it shares a budget. */
const DEFAULT_BUDGET = 67_108_864;

type SessionState = "greeting" | "open" | "draining" | "closed";

/** Many streams over one link or several (SPEC.md). */
export class Session {
  readonly #init: SessionInit & { readonly options: SessionOptions };
  readonly #emitter: SessionEmitter;
  readonly #streams: StreamTable;
  readonly #links: LinkSet;
  readonly #owner: SessionLinks;
  #state: SessionState = "greeting";
  /** Why it is closed. */
  #error: SallyportError | undefined;
  /** Whether this end called `drain`: it refuses streams, and it closes the links. */
  #leaving = false;

  constructor(init: SessionInit) {
    // A stream without a handler would never end.
    const given = { ...init.options, ...init.events.stream === undefined && { maxStreams: 0 } };
    this.#init = { ...init, options: sessionOptions(given) };
    this.#emitter = new SessionEmitter(init, (error) => this.#fail(error, INTERNAL_ERROR_MESSAGE));
    this.#links = this.#makeLinks();
    this.#streams = this.#makeStreams();
    this.#owner = this.#makeOwner();
  }

  /** Streams that are open now. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** The session now, and what losing links cost so far. */
  get figures(): SessionFigures {
    return { name: this.#init.name, streams: this.streamCount, ...this.#links.figures };
  }

  /** Bytes of frames that arrived at either end so far. */
  get transferred(): number {
    return this.#links.transferred;
  }

  /** How many links there are. */
  get linkCounts(): LinkCounts {
    return this.#links.counts;
  }

  /** Where it is in its life. */
  get state(): SessionState {
    return this.#state;
  }

  /** Streams that could be opened now; 0 while there is no link. */
  get capacity(): number {
    return this.#state === "open" && this.linkCounts.open > 0 ? this.#streams.capacity : 0;
  }

  /**
   * Adds a connection that was dialled, whose peer was authenticated: the first, or a further link (SPEC.md 3.6).
   * @throws SallyportError `tunnel_down` when the session is closed; the connection is closed then, too.
   */
  dialled(transport: Transport, events: Pick<LinkInit, "opened" | "closed"> = {}): Link {
    const { clock, key, options } = this.#init;
    if (this.#state === "closed") {
      transport.abort();
      throw new SallyportError("tunnel_down", "Cannot add a connection: the session is closed");
    }
    const link = new Link(
      { ...events, transport, clock, options, sessionOf: () => this.#owner },
      this.#owner,
    );
    this.#owner.add(link);
    link.start();
    link.greet({ ...helloOf(options), session: key, link: link.id, join: this.#state !== "greeting" });
    return link;
  }

  /** Gives up one link, if there are others that are not suspect; it closes in order. */
  retireLink(): void {
    this.#links.retireOne();
  }

  /** Takes a link that a peer dialled and whose `hello` arrived. Returns the session for the link. */
  accepted(link: Link): LinkOwner {
    this.#owner.add(link);
    link.greet(helloOf(this.#init.options));
    return this.#owner;
  }

  /**
   * Opens a stream.
   * @throws SallyportError `tunnel_down` before the peer's `hello` and after the end, `going_away` while draining,
   * `limit_reached` at the peer's limit, `bad_request` for an invalid opening message.
   */
  open(opening: OpeningMessage, bytes?: Uint8Array, options?: EndOptions): MuxStream {
    if (this.#state === "open") return this.#streams.open(opening, bytes, options);
    const code = this.#state === "draining" ? "going_away" : "tunnel_down";
    const state = this.#state === "greeting" ? "not open yet" : this.#state;
    throw new SallyportError(code, `Cannot open a stream: the session is ${state}`);
  }

  /** Sends `status` to the peer (SPEC.md 3); on a closed session it does nothing. */
  sendStatus(status: Payload<"status">): void {
    if (this.#state !== "closed") this.#links.control({ type: "status", payload: status });
  }

  /**
   * Measures the round trip by a `ping` (SPEC.md 3.2), in milliseconds.
   * @throws SallyportError `tunnel_down` while there is no link; later the error that ends the link.
   */
  ping(): Promise<number> {
    const message = "Cannot measure the round trip: the session has no connection";
    return this.#links.measureRoundTrip() ??
      Promise.reject(this.#error ?? new SallyportError("tunnel_down", message));
  }

  /** Drains: opens and accepts no new streams, and closes when the last one has ended (SPEC.md 3.4). */
  drain(): void {
    if (this.#leaving || this.#state === "closed") return;
    this.#leaving = true;
    this.#streams.refuseStreams("going_away");
    this.#links.control(goaway("going_away", "draining", this.#streams.lastAccepted));
    this.#beginDraining();
    this.#links.stopWaiting();
  }

  /** Closes the session now: `code` is sent to the peer, and open streams fail with it. */
  close(code: ErrorCode, message: string): void {
    // For the peer, `going_away` alone is a drain, in which its streams continue (SPEC.md 3.4).
    if (code === "going_away") this.#streams.resetAll(code, message);
    // What was read: a peer that misses nothing does not wait for another link.
    this.#links.flushAcknowledgements();
    this.#fail(new SallyportError(code, message), message);
  }

  #makeLinks(): LinkSet {
    return new LinkSet({
      ...this.#init,
      keep: (bytes) => this.#streams.keep(bytes),
      isNeeded: () => this.#streams.transferring > 0,
      isLeaving: () => this.#leaving,
      isDrained: () => this.#isDrained,
      exhausted: (error) => this.#exhausted(error),
    });
  }

  #makeStreams(): StreamTable {
    return new StreamTable({
      ...this.#init,
      budget: this.#init.budget ?? new MemoryBudget(DEFAULT_BUDGET),
      sender: this.#links,
      consumerError: (error) => this.#emitter.consumerError(error),
      streamAbandoned: () => this.#owner.abandonedStreams.add(),
      // Deferred: the stream's last frame may be in a write that does not count as in flight yet.
      streamClosed: () => queueMicrotask(() => this.#streamClosed()),
      tooLarge: (bytes) => {
        const message = `Cannot continue: messages of ${bytes} bytes exceed the memory limit`;
        this.#fail(new SallyportError("limit_reached", message), message, true);
      },
    });
  }

  #makeOwner(): SessionLinks {
    return new SessionLinks({
      ...this.#init,
      links: this.#links,
      streams: this.#streams,
      greeted: (hello) => {
        this.#setState("open");
        this.#emitter.open(hello);
      },
      message: (message) => this.#message(message),
      opened: (stream) => this.#emitter.stream(stream),
      acknowledged: () => this.#closeIfDrained(),
      changed: (counts, error) => this.#state !== "closed" && this.#emitter.links(counts, error),
      failed: (error) => this.#fail(error, error.message),
      ended: (error, byPeer) => this.#end(this.#isDrained ? undefined : error, byPeer),
      closed: () => this.#state === "closed" && this.#emitter.closed(this.#error),
    });
  }

  #setState(state: SessionState): void {
    this.#state = state;
  }

  #message(message: LifecycleMessage): void {
    if (message.type === "status") this.#emitter.status(message.payload);
    else this.#goawayReceived(message.payload);
  }

  /** No link is left, and none is waited for. */
  #exhausted(error: SallyportError): void {
    this.#end(this.#isDrained ? undefined : error, false);
  }

  /** Whether no link is needed for anything but the end. */
  get #isDrained(): boolean {
    return this.#state === "draining" && this.#streams.transferring === 0;
  }

  #goawayReceived({ code, message, last_stream }: Payload<"goaway">): void {
    const error = SallyportError.fromWire(code, message ?? "the peer ended the session");
    if (error.code !== "going_away") return this.#end(error, true);
    // In this order, so that a stream that is opened again goes elsewhere.
    this.#beginDraining();
    this.#streams.failOwnAbove(last_stream, error);
  }

  #beginDraining(): void {
    if (this.#state !== "draining") {
      this.#setState("draining");
      this.#emitter.draining();
    }
    this.#closeIfDrained();
  }

  #streamClosed(): void {
    if (this.#streams.transferring === 0) this.#links.stopWaiting();
    this.#closeIfDrained();
  }

  /**
   * Closes once the last stream has ended and the peer has read all of it. Only the end that called `drain` closes:
   * the other waits, since an opening message that was queued before the `goaway` may still arrive.
   */
  #closeIfDrained(): void {
    if (this.#state !== "draining" || this.#streams.size > 0) return;
    this.#links.flushAcknowledgements();
    if (this.#leaving && this.#links.isClear) this.#end(undefined, false);
  }

  /**
   * Sends `message` as the reason to the peer, and ends the session with `error`.
   * @param only Whether nothing else that waits is sent: its memory is needed.
   */
  #fail(error: SallyportError, message: string, only = false): void {
    if (this.#state === "closed") return;
    this.#links.broadcast(goaway(error.code, message, this.#streams.lastAccepted), only);
    this.#end(error, false);
  }

  /**
   * Ends every stream and all work of the session; connections may still be closing.
   * @param byPeer Whether the peer chose `error`.
   */
  #end(error: SallyportError | undefined, byPeer: boolean): void {
    if (this.#state === "closed") return;
    this.#setState("closed");
    this.#error = error;
    const reason = error ?? new SallyportError("going_away", "Cannot continue: the session was drained");
    this.#links.close(reason);
    this.#streams.failAll(reason, byPeer);
    if (this.#owner.areClosed) this.#emitter.closed(this.#error);
  }
}
