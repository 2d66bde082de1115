import type { CancelTimer, Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { Link } from "../../shared/mux/link/link.ts";
import { notNeeded } from "../../shared/mux/link/retiring_links.ts";
import type { LinkCounts } from "../../shared/mux/session/link_set.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import type { EndOptions, MuxStream } from "../../shared/mux/stream/stream.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { OpeningMessage } from "../../shared/protocol/messages.ts";
import { Backoff } from "../../shared/resilience/backoff.ts";
import { LinkPolicy, SAMPLE_MS } from "./link_policy.ts";
import { Connector } from "./connector.ts";

/** Milliseconds between two samples while there are no streams. */
const IDLE_SAMPLE_MS = 2_000;
/** Milliseconds without a connection after which another server is tried for new streams. */
const SLOW = 3_000;

/** What makes a {@linkcode ServerSession}. */
interface ServerSessionInit {
  readonly session: Session;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "debug">;
  /** Milliseconds between attempts to connect, also while one is pending. */
  readonly urgentRetry: number;
  /** The most connections of the session. */
  readonly maxLinks: number;
  /** Connects to the session's server. */
  redial(signal: AbortSignal): Promise<Transport>;
  /** An attempt to reconnect failed, or takes long: another server may be needed meanwhile. */
  failed(error: SallyportError): void;
}

/** A session with a server, and the attempts to give it a connection again when it has lost all of them. */
export class ServerSession {
  readonly session: Session;
  readonly #init: ServerSessionInit;
  readonly #connector: Connector<Link>;
  /** Whether another session was opened while it had no connection. */
  isReplaced = false;
  /** Since when it has no connection; undefined while it has one. */
  #lostAt: number | undefined;
  readonly #policy: LinkPolicy;
  #cancelSample: CancelTimer = () => {};
  /** Whether samples are taken rarely, because there are no streams. */
  #isIdle = false;
  /** Set until an attempt to reconnect failed or took long. */
  #cancelSlow: CancelTimer | undefined;

  constructor(init: ServerSessionInit) {
    this.#init = init;
    this.session = init.session;
    this.#connector = new Connector({
      clock: init.clock,
      connect: (signal) => this.#join(signal),
      discard: (link) => link.cut(notNeeded()),
      backoff: new Backoff(),
      urgentRetry: init.urgentRetry,
      // Streams wait: attempts overlap, since one whose packets were dropped would wait long after the path is back.
      urgent: () => this.session.linkCounts.good === 0,
      trying: (attempt) => init.log.debug("reconnecting", { attempt }),
      // One at a time, since the policy may have changed its mind.
      connected: () => this.#adjust(),
      failed: (error) => this.#failed(error),
    });
    this.#policy = new LinkPolicy(init.maxLinks);
    if (init.maxLinks > 1) this.#sampleLater();
  }

  /** Whether it has no connection, and waits for one. */
  get isWaiting(): boolean {
    return this.#lostAt !== undefined;
  }

  /** Whether it has lost its last connection only now, and is likely to have one again soon. */
  get isResuming(): boolean {
    return this.#cancelSlow !== undefined;
  }

  /** Opens a stream; see {@linkcode Session.open}. */
  open(opening: OpeningMessage, first: EndOptions & { bytes?: Uint8Array }): MuxStream {
    const stream = this.session.open(opening, first.bytes, first);
    // It may be a download, for which seconds count.
    if (this.#isIdle) {
      this.#cancelSample();
      this.#sampleLater();
    }
    return stream;
  }

  /** Its connections changed: opened, lost, suspect or recovered. @param error Why one was lost. */
  linksChanged({ open, good }: LinkCounts, error: SallyportError | undefined): void {
    const { clock, log } = this.#init;
    if (good < this.#policy.wanted) this.#connector.wake();
    if (open === 0) {
      const slow = () => this.#failed(error ?? new SallyportError("tunnel_down", "Cannot reconnect yet"));
      if (this.#lostAt === undefined) this.#cancelSlow = clock.after(SLOW, slow);
      this.#lostAt ??= clock.now();
    } else if (this.#lostAt !== undefined) {
      const streams = this.session.streamCount;
      log.info("tunnel resumed", { streams, down_for_ms: Math.round(clock.now() - this.#lostAt) });
      this.#lostAt = undefined;
      this.#stopTimer();
    }
  }

  /** The session is over: stops connecting. */
  stop(): void {
    this.#cancelSample();
    this.#stopTimer();
    this.#connector.stop();
  }

  /** Connects, and waits for the server's `hello`: a connection that ends before is an attempt that failed. */
  async #join(signal: AbortSignal): Promise<Link> {
    const transport = await this.#init.redial(signal);
    return await new Promise<Link>((resolve, reject) => {
      const link = this.session.dialled(transport, { opened: () => resolve(link), closed: reject });
      signal.addEventListener("abort", () => !link.isOpen && link.cut(notNeeded()), { once: true });
      if (signal.aborted) link.cut(notNeeded());
    });
  }

  /** Looks now and then at what the connections carry together. */
  #sampleLater(): void {
    const { clock } = this.#init;
    const { transferred: before } = this.session;
    const began = clock.now();
    this.#isIdle = this.session.streamCount === 0;
    this.#cancelSample = clock.after(this.#isIdle ? IDLE_SAMPLE_MS : SAMPLE_MS, () => {
      const now = clock.now();
      const rate = (this.session.transferred - before) / Math.max(1, now - began);
      this.#policy.sample({ now, rate, links: this.session.linkCounts.good });
      this.#adjust();
      this.#sampleLater();
    });
  }

  /** Opens or gives up a connection where there are fewer or more than wanted. */
  #adjust(): void {
    // It may have closed a moment ago, and its connections with it.
    if (this.session.state === "closed") return;
    const { good } = this.session.linkCounts;
    const { wanted } = this.#policy;
    if (good < wanted) this.#connector.wake();
    for (let surplus = good - wanted; surplus > 0; surplus--) this.session.retireLink();
  }

  #failed(error: SallyportError): void {
    this.#stopTimer();
    this.#init.failed(error);
  }

  #stopTimer(): void {
    this.#cancelSlow?.();
    this.#cancelSlow = undefined;
  }
}
