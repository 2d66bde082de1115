import type { CancelTimer, Clock } from "../clock.ts";

/** The most milliseconds between looks; a look that comes later than this explains means that the machine slept. */
const LOOK_EVERY = 1_000;
/** Milliseconds by which a look may be late on a busy machine. */
const LATE = 3_000;

/** What a {@linkcode Keepalive} needs. Times are milliseconds. */
export interface KeepaliveInit {
  clock: Clock;
  /** Silence after which a `ping` goes out. */
  interval: number;
  /** Silence after a `ping` that means a dead path. */
  timeout: number;
  /** Sends a `ping`. */
  ping(): void;
  /** The path is dead: nothing came for this many milliseconds. */
  dead(silence: number): void;
}

/** Notices a path that has gone silent (SPEC.md 3.2). */
export class Keepalive {
  readonly #init: KeepaliveInit;
  #heardAt: number;
  #pingedAt: number | undefined;
  #lookedAt: number;
  #cancel: CancelTimer;

  constructor(init: KeepaliveInit) {
    this.#init = init;
    this.#heardAt = init.clock.now();
    this.#lookedAt = init.clock.wallTime();
    this.#cancel = this.#lookAgain();
  }

  /** Something came from the peer. */
  heard(): void {
    this.#heardAt = this.#init.clock.now();
    this.#pingedAt = undefined;
  }

  /** Stops looking. */
  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock, interval, timeout } = this.#init;
    const now = clock.now();
    const wall = clock.wallTime();
    const slept = wall - this.#lookedAt > LOOK_EVERY + LATE;
    this.#lookedAt = wall;
    // What came during a sleep is not read yet, so that a `ping` from before it proves nothing.
    if (!slept && this.#pingedAt !== undefined && now - this.#pingedAt >= timeout) {
      this.#init.dead(now - this.#heardAt);
      return;
    }
    if (slept || this.#pingedAt === undefined && now - this.#heardAt >= interval) {
      this.#pingedAt = now;
      this.#init.ping();
    }
    this.#cancel = this.#lookAgain();
  }

  /** Just when something is due, so that a dead path is noticed after `interval` and `timeout` and not later. */
  #lookAgain(): CancelTimer {
    const { clock, interval, timeout } = this.#init;
    const due = this.#pingedAt === undefined ? this.#heardAt + interval : this.#pingedAt + timeout;
    const delay = Math.min(Math.max(1, due - clock.now()), LOOK_EVERY);
    return clock.after(delay, () => this.#look());
  }
}
