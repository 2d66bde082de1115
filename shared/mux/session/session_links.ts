import type { Clock } from "../../clock.ts";
import type { ErrorCode, SallyportError } from "../../errors.ts";
import type { Payload } from "../../protocol/messages.ts";
import { abandonedStreams, type LeakyBucket } from "../link/flood_guard.ts";
import type { Batch } from "../link/frame_source.ts";
import type { CountedFrame } from "../link/counted_frame.ts";
import type { Link, LinkOwner } from "../link/link.ts";
import type { LifecycleMessage } from "../link/receiver.ts";
import type { SessionOptions } from "../options.ts";
import type { FramedStream } from "../stream/framed_stream.ts";
import type { StreamTable } from "../stream/stream_table.ts";
import type { SessionTrace } from "../trace.ts";
import type { LinkCounts, LinkSet } from "./link_set.ts";

/** Errors of a refused link with which the session ends, too, unless it has others (SPEC.md 3.4). */
const FINAL: ReadonlySet<ErrorCode> = new Set(["session_unknown", "peer_rejected", "version_unsupported"]);

/** What makes {@linkcode SessionLinks}. */
interface SessionLinksInit {
  readonly clock: Clock;
  readonly options: SessionOptions;
  /** Learns of every frame. @default {nothing is traced} */
  readonly trace?: SessionTrace | undefined;
  readonly links: LinkSet;
  readonly streams: StreamTable;
  /** The `hello` of the first link arrived. */
  greeted(hello: Payload<"hello">): void;
  /** A message of the session arrived; may throw a violation. */
  message(message: LifecycleMessage): void;
  /** The peer opened a stream. */
  opened(stream: FramedStream): void;
  /** The peer acknowledged bytes. */
  acknowledged(): void;
  /** Links were opened or lost, became suspect or recovered; `error` is why one was lost, or refused. */
  changed(counts: LinkCounts, error: SallyportError | undefined): void;
  /** The peer broke the protocol or a limit: the session has to end with `error`. */
  failed(error: SallyportError): void;
  /** The session cannot go on. @param byPeer Whether the peer chose `error`. */
  ended(error: SallyportError, byPeer: boolean): void;
  /** No connection is left. */
  closed(): void;
}

/** What the links of a session do with what happens on them. */
export class SessionLinks implements LinkOwner {
  readonly abandonedStreams: LeakyBucket;
  readonly trace: SessionTrace | undefined;
  readonly streams: StreamTable;
  readonly #init: SessionLinksInit;
  readonly #links: LinkSet;
  #isGreeted = false;
  /** Links whose connections are not closed yet. */
  #connections = 0;

  constructor(init: SessionLinksInit) {
    this.#init = init;
    this.#links = init.links;
    this.trace = init.trace;
    this.streams = init.streams;
    this.abandonedStreams = abandonedStreams(init.clock, init.options.maxStreams);
  }

  /** Whether no connection is left. */
  get areClosed(): boolean {
    return this.#connections === 0;
  }

  /** Adds a link whose `hello` is awaited or has just arrived. */
  add(link: Link): void {
    this.#connections++;
    this.#links.add(link);
  }

  isWaiting(link: object): boolean {
    return this.#links.scheduler.isWaiting(link);
  }

  fill(batch: Batch): boolean {
    return this.#links.scheduler.fill(batch);
  }

  delivered(frame: CountedFrame): void {
    this.#links.scheduler.delivered(frame);
  }

  message(message: LifecycleMessage): void {
    this.#init.message(message);
  }

  opened(stream: FramedStream): void {
    this.#init.opened(stream);
  }

  failed(error: SallyportError): void {
    this.#init.failed(error);
  }

  acknowledged(): void {
    this.#links.closeRetired();
    this.#init.acknowledged();
  }

  hasOthers(link: Link): boolean {
    return this.#links.hasOthers(link);
  }

  linkOpened(link: Link, hello: Payload<"hello">): void {
    const isFirst = !this.#isGreeted;
    this.#isGreeted = true;
    if (isFirst) this.streams.setLimits(hello);
    this.#links.opened(link);
    if (isFirst) this.#init.greeted(hello);
    this.#init.changed(this.#links.counts, undefined);
  }

  suspectChanged(link: Link): void {
    this.#links.suspectChanged(link);
    this.#init.changed(this.#links.counts, undefined);
  }

  linkRefused(link: Link, error: SallyportError): void {
    // While others are good, the session is known: only this link cannot join, as with a renewed certificate.
    const isFinal = FINAL.has(error.code) && this.#links.counts.good === 0;
    if (!this.#isGreeted || isFinal) return this.#init.ended(error, true);
    this.linkLost(link, error);
  }

  linkLost(link: Link, error: SallyportError): void {
    if (!this.#isGreeted) return this.#init.ended(error, false);
    // This end cut it, since the peer's certificate is no longer accepted, or the peer refused that of this end.
    if (error.code === "peer_rejected") return this.#init.failed(error);
    this.#links.lost(link, error);
    this.#init.changed(this.#links.counts, error);
  }

  linkClosed(): void {
    this.#connections--;
    if (this.#connections === 0) this.#init.closed();
  }
}
