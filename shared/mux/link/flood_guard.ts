import type { CancelTimer, Clock } from "../../clock.ts";
import { SallyportError } from "../../errors.ts";
import type { Transport } from "../transport.ts";

/** Milliseconds of a pause in reading that slows a peer down (SPEC.md 3.5). */
const PAUSE = 50;
/** Limits of messages that change nothing (SPEC.md 3.5). */
const IDLE_MESSAGES: LeakyBucketOptions = {
  what: "messages that change nothing",
  perSecond: 2_000,
  slowAt: 10_000,
  closeAt: 20_000,
};
/** Limits of messages that already arrived, of which a lost session can bring many (SPEC.md 3.5). */
const REPEATED_MESSAGES: LeakyBucketOptions = {
  what: "messages that already arrived",
  perSecond: 2_000,
  slowAt: 65_536,
  closeAt: 131_072,
};
/** Abandoned streams that are forgotten per second (SPEC.md 4.6). */
const ABANDONED_PER_SECOND = 200;
/** Abandoned streams that are allowed in addition to `max_streams` before the peer is slowed down (SPEC.md 4.6). */
const ABANDONED_MARGIN = 1_000;

/**
 * Counts the streams that a peer opened and abandoned, over all links of a session (SPEC.md 4.6).
 * @param maxStreams How many streams the peer may have open; it may abandon all of them at once.
 */
export function abandonedStreams(clock: Clock, maxStreams: number): LeakyBucket {
  const slowAt = maxStreams + ABANDONED_MARGIN;
  const perSecond = ABANDONED_PER_SECOND;
  return new LeakyBucket(clock, { what: "abandoned streams", perSecond, slowAt, closeAt: 2 * slowAt });
}

/** Protects an endpoint from a link that floods it: slows it down, then ends its session (SPEC.md 3.5, 4.6). */
export class FloodGuard {
  /** Counts messages that change nothing. */
  readonly idleMessages: LeakyBucket;
  /** Counts messages that already arrived. */
  readonly repeatedMessages: LeakyBucket;
  /** Counts the session's abandoned streams; undefined before the link belongs to a session. */
  abandonedStreams: LeakyBucket | undefined;
  readonly #clock: Clock;
  readonly #transport: Pick<Transport, "pause" | "resume">;
  /** Set while reading is paused. */
  #cancelPause: CancelTimer | undefined;
  #stopped = false;

  constructor(clock: Clock, transport: Pick<Transport, "pause" | "resume">) {
    this.#clock = clock;
    this.#transport = transport;
    this.idleMessages = new LeakyBucket(clock, IDLE_MESSAGES);
    this.repeatedMessages = new LeakyBucket(clock, REPEATED_MESSAGES);
  }

  /** A chunk of the link was processed: pauses reading if the peer has to be slowed down. */
  chunkProcessed(): void {
    if (this.#stopped || this.#cancelPause !== undefined || !this.#isHigh) return;
    this.#transport.pause();
    this.#cancelPause = this.#clock.after(PAUSE, () => this.#resume());
  }

  /** Ends a pause and starts no other: the end of a connection has to be read. */
  stop(): void {
    this.#stopped = true;
    this.#resume();
  }

  get #isHigh(): boolean {
    return this.idleMessages.isHigh || this.repeatedMessages.isHigh || this.abandonedStreams?.isHigh === true;
  }

  #resume(): void {
    if (this.#cancelPause === undefined) return;
    this.#cancelPause();
    this.#cancelPause = undefined;
    this.#transport.resume();
  }
}

/** The limits of a {@linkcode LeakyBucket}. */
interface LeakyBucketOptions {
  /** What is counted, for the error: `abandoned streams`. */
  what: string;
  /** How many are forgotten per second. */
  perSecond: number;
  /** Level above which the peer is slowed down. */
  slowAt: number;
  /** Level above which the peer's session ends. */
  closeAt: number;
}

/** Counts something that a peer may do now and then, but not without end, and forgets it at a steady rate. */
export class LeakyBucket {
  readonly #clock: Clock;
  readonly #options: LeakyBucketOptions;
  #level = 0;
  #leakedAt: number;

  constructor(clock: Clock, options: LeakyBucketOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#leakedAt = clock.now();
  }

  /** Whether the peer is to be slowed down. */
  get isHigh(): boolean {
    const { slowAt } = this.#options;
    // The first comparison is nearly always false, and cheaper than the clock.
    return this.#level > slowAt && this.#leak() > slowAt;
  }

  /** Counts one; throws `limit_reached` above the limit. */
  add(): void {
    const { perSecond, closeAt, what } = this.#options;
    this.#leak();
    this.#level++;
    if (this.#level <= closeAt) return;
    throw new SallyportError(
      "limit_reached",
      `Cannot continue: too many ${what} (more than ${closeAt}, plus ${perSecond} per second)`,
    );
  }

  /** Forgets what is due, and returns the level. */
  #leak(): number {
    const now = this.#clock.now();
    this.#level = Math.max(0, this.#level - (now - this.#leakedAt) * this.#options.perSecond / 1000);
    this.#leakedAt = now;
    return this.#level;
  }
}
