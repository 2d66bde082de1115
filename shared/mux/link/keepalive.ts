import type { CancelTimer, Clock } from "../../clock.ts";
import type { SallyportError } from "../../errors.ts";

/** The most milliseconds between checks; a check that is later than this explains means that the machine slept. */
const CHECK_INTERVAL = 1_000;
/** Milliseconds by which a check may be late on a busy machine. */
const LATE = 3_000;

/** What makes a {@linkcode Keepalive}. Times are milliseconds. */
interface KeepaliveInit {
  clock: Clock;
  /** Silence after which a `ping` is sent. */
  interval: number;
  /** Silence after a `ping` that means a dead path. */
  timeout: number;
  /** Sends a `ping`. */
  ping(nonce: number): void;
  /** The machine slept: the path may be another one now. @default {not reported} */
  slept?(): void;
  /** The path is dead: nothing arrived for this many milliseconds. */
  dead(silence: number): void;
}

/** Sends `ping` to detect a dead path, and to measure round trips (SPEC.md 3.2). */
export class Keepalive {
  readonly #init: KeepaliveInit;
  /** Measurements that wait for their `pong`, by nonce. */
  readonly #measurements = new Map<number, { sentAt: number; settled: PromiseWithResolvers<number> }>();
  #nonce = 0;
  #heardAt = 0;
  #pingedAt: number | undefined;
  #isStopped = false;
  #checkedAt = 0;
  #cancel: CancelTimer = () => {};

  constructor(init: KeepaliveInit) {
    this.#init = init;
  }

  /** Begins to check: this end has sent `hello`, which no `ping` may precede (SPEC.md 3.1). */
  start(): void {
    this.#heardAt = this.#init.clock.now();
    this.#checkedAt = this.#init.clock.wallTime();
    this.#cancel = this.#schedule();
  }

  /** Milliseconds since bytes arrived from the peer. */
  get silence(): number {
    return this.#init.clock.now() - this.#heardAt;
  }

  /** Bytes arrived from the peer. */
  heard(): void {
    this.#heardAt = this.#init.clock.now();
    this.#pingedAt = undefined;
  }

  /** Sends a `ping`. Resolves with the milliseconds until its `pong`; rejects with the error of `stop`. */
  measure(): Promise<number> {
    const settled = Promise.withResolvers<number>();
    const nonce = this.#nonce++;
    this.#measurements.set(nonce, { sentAt: this.#init.clock.now(), settled });
    this.#init.ping(nonce);
    return settled.promise;
  }

  /** A `pong` arrived; those of the keepalive's own pings belong to no measurement. */
  pong(nonce: number): void {
    const measurement = this.#measurements.get(nonce);
    if (measurement === undefined) return;
    this.#measurements.delete(nonce);
    measurement.settled.resolve(this.#init.clock.now() - measurement.sentAt);
  }

  /** Stops checking; measurements that still wait fail with `error`. */
  stop(error: SallyportError): void {
    this.#isStopped = true;
    this.#cancel();
    for (const { settled } of this.#measurements.values()) settled.reject(error);
    this.#measurements.clear();
  }

  #check(): void {
    const { clock, interval, timeout, ping, dead } = this.#init;
    const now = clock.now();
    const wall = clock.wallTime();
    const slept = wall - this.#checkedAt > CHECK_INTERVAL + LATE;
    this.#checkedAt = wall;
    if (slept) this.#init.slept?.();
    // That may have ended the link.
    if (this.#isStopped) return;
    // What arrived during a sleep is not read yet, so that a `ping` from before it proves nothing.
    if (!slept && this.#pingedAt !== undefined && now - this.#pingedAt >= timeout) {
      return dead(now - this.#heardAt);
    }
    if (slept || this.#pingedAt === undefined && now - this.#heardAt >= interval) {
      this.#pingedAt = now;
      ping(this.#nonce++);
    }
    this.#cancel = this.#schedule();
  }

  /** Checks exactly when something is due, so that a dead path is detected after `interval` and `timeout`. */
  #schedule(): CancelTimer {
    const { clock, interval, timeout } = this.#init;
    const due = this.#pingedAt === undefined ? this.#heardAt + interval : this.#pingedAt + timeout;
    const delay = Math.min(Math.max(1, due - clock.now()), CHECK_INTERVAL);
    return clock.after(delay, () => this.#check());
  }
}
