import type { CancelTimer, Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Session } from "../../shared/mux/session.ts";
import type { Backoff } from "../../shared/resilience/backoff.ts";

/** What a connector needs. */
export interface ConnectorInit {
  clock: Clock;
  /** Makes one session; rejects when that fails or the signal aborts. */
  connect(signal: AbortSignal): Promise<Session>;
  /** Delays between failed attempts. */
  backoff: Backoff;
  /** Milliseconds between attempts while somebody waits. */
  urgentRetry: number;
  /** Whether somebody waits for a connection. */
  urgent(): boolean;
  /** An attempt begins; `attempt` counts from 1 since the last success. */
  trying(attempt: number): void;
  /** A session is open. */
  connected(session: Session): void;
  /** An attempt failed; the next is due at `retryAt` on the clock. */
  failed(error: SallyportError, attempt: number, retryAt: number): void;
}

type State =
  | { name: "idle" }
  | { name: "trying"; abort: AbortController }
  | { name: "resting"; retryAt: number; cancel: CancelTimer }
  | { name: "stopped" };

/** Dials again and again until it has a connection: slowly, or every second while somebody waits. */
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

  /** Gives up, for good; an attempt under way is aborted. */
  stop(): void {
    if (this.#state.name === "trying") this.#state.abort.abort();
    if (this.#state.name === "resting") this.#state.cancel();
    this.#setState({ name: "stopped" });
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #try(): void {
    const abort = new AbortController();
    this.#setState({ name: "trying", abort });
    this.#triedAt = this.#init.clock.now();
    this.#attempt++;
    this.#init.trying(this.#attempt);
    this.#init.connect(abort.signal).then(
      (session) => this.#succeeded(session),
      (reason) => this.#failed(SallyportError.from(reason, "tunnel_down")),
    );
  }

  #succeeded(session: Session): void {
    if (this.#state.name === "stopped") {
      session.close("going_away", "the agent stopped");
      return;
    }
    this.#setState({ name: "idle" });
    this.#attempt = 0;
    this.#init.backoff.reset();
    this.#init.connected(session);
  }

  #failed(error: SallyportError): void {
    if (this.#state.name === "stopped") return;
    const { clock, backoff, urgentRetry } = this.#init;
    const now = clock.now();
    const delay = backoff.next();
    const urgentAt = Math.max(now, this.#triedAt + urgentRetry);
    const retryAt = this.#init.urgent() ? Math.min(now + delay, urgentAt) : now + delay;
    this.#rest(retryAt);
    this.#init.failed(error, this.#attempt, retryAt);
  }

  #rest(retryAt: number): void {
    if (this.#state.name === "resting") this.#state.cancel();
    const delay = Math.max(0, retryAt - this.#init.clock.now());
    this.#setState({ name: "resting", retryAt, cancel: this.#init.clock.after(delay, () => this.#try()) });
  }
}
