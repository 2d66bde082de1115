import type { CancelTimer, Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Backoff } from "../../shared/resilience/backoff.ts";

/** What {@linkcode Connector} needs. */
export interface ConnectorInit<Connection> {
  clock: Clock;
  /**
   * Runs before every attempt: waits until a server can be dialled, and resolves with false if there is none and none
   * is needed. Then, and when it rejects, the connector is idle until `wake`.
   * @default {a server can always be dialled}
   */
  prepare?: ((signal: AbortSignal) => Promise<boolean>) | undefined;
  /** Opens one connection; rejects when that fails or the signal aborts. */
  connect(signal: AbortSignal): Promise<Connection>;
  /** Closes a connection that came too late. */
  discard(connection: Connection): void;
  /** Delays between failed attempts. */
  backoff: Backoff;
  /** Milliseconds between attempts while a stream waits, also while an attempt is still pending. */
  urgentRetry: number;
  /** Whether a stream waits for a connection. */
  urgent(): boolean;
  /** Called before `prepare`. */
  preparing?(): void;
  /** There is no server to dial; `error` is undefined if none is needed. */
  unprepared?(error: SallyportError | undefined): void;
  /** An attempt starts; `attempt` counts from 1 since the last success. */
  trying(attempt: number): void;
  /** A connection is open. */
  connected(connection: Connection): void;
  /** An attempt failed; the next one starts at `retryAt` on the clock. */
  failed(error: SallyportError, attempt: number, retryAt: number): void;
}

type State =
  | { name: "idle" }
  | { name: "preparing"; abort: AbortController }
  | { name: "trying"; attempts: Set<AbortController>; cancelNext: CancelTimer }
  | { name: "paused"; retryAt: number; cancel: CancelTimer }
  | { name: "stopped" };

/**
 * Dials until it has a connection: with increasing delays, or every second while a stream waits. In the second case
 * attempts overlap and the first to succeed wins: after an outage, an attempt whose packets were dropped waits long after
 * the path has recovered, and a slow path needs its time too.
 */
export class Connector<Connection> {
  readonly #init: ConnectorInit<Connection>;
  #state: State = { name: "idle" };
  #attempt = 0;
  #triedAt = -Infinity;

  constructor(init: ConnectorInit<Connection>) {
    this.#init = init;
  }

  /** Starts to dial, unless it already does. If a stream waits, a pause between attempts is shortened. */
  wake(): void {
    if (this.#state.name === "idle") this.#try();
    if (this.#state.name !== "paused" || !this.#init.urgent()) return;
    const soonest = Math.max(this.#init.clock.now(), this.#triedAt + this.#init.urgentRetry);
    if (soonest < this.#state.retryAt) this.#pause(soonest);
  }

  /** Aborts pending attempts: no connection is needed now. */
  rest(): void {
    if (this.#state.name !== "stopped") this.#leave({ name: "idle" });
  }

  /** Stops permanently and aborts pending attempts. */
  stop(): void {
    this.#leave({ name: "stopped" });
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #leave(next: State): void {
    const left = this.#state;
    this.#setState(next);
    if (left.name === "paused") left.cancel();
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
    // A stream may have come at the last moment.
    if (error === undefined && this.#init.urgent()) this.wake();
  }

  #dial(): void {
    this.#leave({ name: "trying", attempts: new Set(), cancelNext: this.#scheduleNext() });
    this.#startAttempt();
  }

  #scheduleNext(): CancelTimer {
    return this.#init.clock.after(this.#init.urgentRetry, () => {
      if (this.#state.name !== "trying") return;
      this.#setState({ ...this.#state, cancelNext: this.#scheduleNext() });
      if (this.#init.urgent()) this.#startAttempt();
    });
  }

  #startAttempt(): void {
    if (this.#state.name !== "trying") return;
    const attempt = new AbortController();
    this.#state.attempts.add(attempt);
    this.#triedAt = this.#init.clock.now();
    this.#attempt++;
    this.#init.trying(this.#attempt);
    this.#init.connect(attempt.signal).then(
      (connection) => this.#succeeded(attempt, connection),
      (reason) => this.#failed(attempt, SallyportError.from(reason, "tunnel_down")),
    );
  }

  #succeeded(attempt: AbortController, connection: Connection): void {
    if (this.#state.name !== "trying" || !this.#state.attempts.delete(attempt)) {
      return this.#init.discard(connection);
    }
    this.#leave({ name: "idle" });
    this.#attempt = 0;
    this.#init.backoff.reset();
    this.#init.connected(connection);
  }

  #failed(attempt: AbortController, error: SallyportError): void {
    if (this.#state.name !== "trying" || !this.#state.attempts.delete(attempt)) return;
    // Pending attempts may still succeed.
    if (this.#state.attempts.size > 0) return;
    const { clock, backoff, urgentRetry } = this.#init;
    const now = clock.now();
    const delay = backoff.next();
    const urgentAt = Math.max(now, this.#triedAt + urgentRetry);
    const retryAt = this.#init.urgent() ? Math.min(now + delay, urgentAt) : now + delay;
    this.#pause(retryAt);
    this.#init.failed(error, this.#attempt, retryAt);
  }

  #pause(retryAt: number): void {
    const delay = Math.max(0, retryAt - this.#init.clock.now());
    this.#leave({ name: "paused", retryAt, cancel: this.#init.clock.after(delay, () => this.#try()) });
  }
}
