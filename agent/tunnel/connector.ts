import type { CancelTimer, Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Session } from "../../shared/mux/session.ts";
import type { Backoff } from "../../shared/resilience/backoff.ts";

/** What a connector needs. */
export interface ConnectorInit {
  clock: Clock;
  /**
   * Comes before every attempt: waits until there is something to dial, and resolves with false when there is
   * nothing and nobody wants it. Then, and when it rejects, the connector rests until somebody wakes it.
   * @default {there always is}
   */
  prepare?: ((signal: AbortSignal) => Promise<boolean>) | undefined;
  /** Makes one session; rejects when that fails or the signal aborts. */
  connect(signal: AbortSignal): Promise<Session>;
  /** Delays between failed attempts. */
  backoff: Backoff;
  /** Milliseconds between attempts while somebody waits, also beside an attempt that has no result yet. */
  urgentRetry: number;
  /** Whether somebody wants a connection now. */
  urgent(): boolean;
  /** What comes before an attempt begins. */
  preparing?(): void;
  /** There is nothing to dial; the reason is missing where nobody wants anything. */
  unprepared?(error: SallyportError | undefined): void;
  /** An attempt begins; `attempt` counts from 1 since the last success. */
  trying(attempt: number): void;
  /** A session is open. */
  connected(session: Session): void;
  /** An attempt failed; the next is due at `retryAt` on the clock. */
  failed(error: SallyportError, attempt: number, retryAt: number): void;
}

type State =
  | { name: "idle" }
  | { name: "preparing"; abort: AbortController }
  | { name: "trying"; attempts: Set<AbortController>; cancelNext: CancelTimer }
  | { name: "resting"; retryAt: number; cancel: CancelTimer }
  | { name: "stopped" };

/**
 * Dials again and again until it has a connection: slowly, or every second while somebody waits. Then an attempt
 * that has no answer yet gets another one beside it, and the first to succeed is taken: a path that drops what
 * is sent leaves an attempt waiting long after the path has come back, and a slow path must get its time too.
 */
export class Connector {
  readonly #init: ConnectorInit;
  #state: State = { name: "idle" };
  #attempt = 0;
  #triedAt = -Infinity;

  constructor(init: ConnectorInit) {
    this.#init = init;
  }

  /** Begins to dial, unless that is under way. While it rests and somebody waits, the rest is cut short. */
  wake(): void {
    if (this.#state.name === "idle") this.#try();
    if (this.#state.name !== "resting" || !this.#init.urgent()) return;
    const soonest = Math.max(this.#init.clock.now(), this.#triedAt + this.#init.urgentRetry);
    if (soonest < this.#state.retryAt) this.#rest(soonest);
  }

  /** Gives up, for good; attempts under way are aborted. */
  stop(): void {
    this.#leave({ name: "stopped" });
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #leave(next: State): void {
    const left = this.#state;
    this.#setState(next);
    if (left.name === "resting") left.cancel();
    if (left.name === "preparing") left.abort.abort();
    if (left.name !== "trying") return;
    left.cancelNext();
    for (const attempt of left.attempts) attempt.abort();
  }

  #try(): void {
    const { prepare, preparing } = this.#init;
    if (prepare === undefined) return this.#dial();
    const abort = new AbortController();
    this.#leave({ name: "preparing", abort });
    preparing?.();
    const isOurs = () => this.#state.name === "preparing" && this.#state.abort === abort;
    prepare(abort.signal).then((isReady) => {
      if (!isOurs()) return;
      if (isReady) this.#dial();
      else this.#unprepared(undefined);
    }, (reason) => {
      if (isOurs()) this.#unprepared(SallyportError.from(reason, "tunnel_down"));
    });
  }

  #unprepared(error: SallyportError | undefined): void {
    this.#setState({ name: "idle" });
    this.#init.unprepared?.(error);
    // Somebody may have come at the last moment.
    if (error === undefined && this.#init.urgent()) this.wake();
  }

  #dial(): void {
    this.#leave({ name: "trying", attempts: new Set(), cancelNext: this.#anotherSoon() });
    this.#begin();
  }

  #anotherSoon(): CancelTimer {
    return this.#init.clock.after(this.#init.urgentRetry, () => {
      if (this.#state.name !== "trying") return;
      this.#setState({ ...this.#state, cancelNext: this.#anotherSoon() });
      if (this.#init.urgent()) this.#begin();
    });
  }

  #begin(): void {
    if (this.#state.name !== "trying") return;
    const attempt = new AbortController();
    this.#state.attempts.add(attempt);
    this.#triedAt = this.#init.clock.now();
    this.#attempt++;
    this.#init.trying(this.#attempt);
    this.#init.connect(attempt.signal).then(
      (session) => this.#succeeded(attempt, session),
      (reason) => this.#failed(attempt, SallyportError.from(reason, "tunnel_down")),
    );
  }

  #succeeded(attempt: AbortController, session: Session): void {
    if (this.#state.name !== "trying" || !this.#state.attempts.delete(attempt)) {
      session.close("going_away", "the agent needs it no more");
      return;
    }
    this.#leave({ name: "idle" });
    this.#attempt = 0;
    this.#init.backoff.reset();
    this.#init.connected(session);
  }

  #failed(attempt: AbortController, error: SallyportError): void {
    if (this.#state.name !== "trying" || !this.#state.attempts.delete(attempt)) return;
    // Those that are still under way may know better.
    if (this.#state.attempts.size > 0) return;
    const { clock, backoff, urgentRetry } = this.#init;
    const now = clock.now();
    const delay = backoff.next();
    const urgentAt = Math.max(now, this.#triedAt + urgentRetry);
    const retryAt = this.#init.urgent() ? Math.min(now + delay, urgentAt) : now + delay;
    this.#rest(retryAt);
    this.#init.failed(error, this.#attempt, retryAt);
  }

  #rest(retryAt: number): void {
    const delay = Math.max(0, retryAt - this.#init.clock.now());
    this.#leave({ name: "resting", retryAt, cancel: this.#init.clock.after(delay, () => this.#try()) });
  }
}
