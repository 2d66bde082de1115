import type { CancelTimer, Clock } from "../clock.ts";
import { Patience } from "./patience.ts";
import type { Transport } from "./transport.ts";

/** Milliseconds for which nothing is read of a peer that is to be slowed down (SPEC.md 3.5). */
const SLOW_DOWN = 50;
/** What is borne of messages that change nothing (SPEC.md 3.5). */
const IDLE_MESSAGES = {
  what: "messages that change nothing",
  perSecond: 2_000,
  slowAt: 10_000,
  cutAt: 20_000,
};

/** What a session bears of its peer: it slows down one that goes too far, and then throws (SPEC.md 3.5, 4.6). */
export class Forbearance {
  /** For messages that change nothing. */
  readonly idleMessages: Patience;
  /** For streams that were opened for nothing. */
  readonly wastedStreams: Patience;
  readonly #clock: Clock;
  readonly #transport: Pick<Transport, "pause" | "resume">;
  /** Set while nothing is read. */
  #cancel: CancelTimer | undefined;
  #stopped = false;

  /**
   * @param maxStreams How many streams the peer may have open: all of them can be given up at once, and a thousand
   * more.
   */
  constructor(clock: Clock, transport: Pick<Transport, "pause" | "resume">, maxStreams: number) {
    this.#clock = clock;
    this.#transport = transport;
    this.idleMessages = new Patience(clock, IDLE_MESSAGES);
    const slowAt = maxStreams + 1_000;
    const what = "streams that were opened for nothing";
    this.wastedStreams = new Patience(clock, { what, perSecond: 200, slowAt, cutAt: 2 * slowAt });
  }

  /** A chunk of the connection was worked through: makes the peer wait for a moment if it went too far. */
  settle(): void {
    if (this.#stopped || this.#cancel !== undefined) return;
    if (!this.idleMessages.lost && !this.wastedStreams.lost) return;
    this.#transport.pause();
    this.#cancel = this.#clock.after(SLOW_DOWN, () => this.#goOn());
  }

  /** Reads again and stops the timer, for good: the end of a connection has to be seen. */
  stop(): void {
    this.#stopped = true;
    this.#goOn();
  }

  #goOn(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#cancel = undefined;
    this.#transport.resume();
  }
}
