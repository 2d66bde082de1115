import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { MetricName } from "../../shared/cloud/metric_names.ts";
import type { Logger } from "../../shared/log.ts";

/** A value for each metric. */
export type Figures = Readonly<Record<MetricName, number>>;

/** What makes {@linkcode Reports}. */
export interface ReportsInit {
  /** Milliseconds between two reports. */
  readonly interval: number;
  readonly clock: Clock;
  readonly log: Pick<Logger, "warn">;
  /** The figures since the last call. */
  take(): Figures;
  /** Counts figures again that were not sent. */
  putBack(figures: Figures): void;
  /** Sends a report; rejects when that fails, and when the signal aborts. */
  send(figures: Partial<Figures>, at: Date, signal: AbortSignal): Promise<void>;
}

/** Milliseconds that a report may take; traffic does not wait for it. */
const SEND_TIMEOUT = 10_000;
/** Milliseconds that the last report may hold up the end. */
const LAST_TIMEOUT = 2_000;
/** Milliseconds between a report and the next that tells that agents came or went: each is billed. */
const CHANGE_GAP = 5_000;
/** Milliseconds after which a report that failed is tried again; twice as long after each that fails too. */
const RETRY_GAP = CHANGE_GAP;
/** Milliseconds between two complaints about reports that fail. */
const COMPLAIN_EVERY = 600_000;

type State =
  | { readonly name: "idle" }
  | { readonly name: "sending"; readonly done: Promise<void>; readonly abort: AbortController }
  | { readonly name: "stopped" };

/**
 * Reports every interval, at once when it starts, and when it stops. One report is under way at a time. One that
 * fails is tried again within seconds, with the figures of then: Kill would go by the report before it.
 *
 * The last report does not count agents: while servers are replaced, its 0 would be the newest figure, and other
 * servers have agents.
 *
 * Traffic after a quiet time is reported at once: whoever stops idle servers should not have to wait a whole
 * interval to learn that this one is idle no more. Agents that come or go are reported within seconds: Kill goes by
 * the newest report.
 */
export class Reports {
  readonly #init: ReportsInit;
  #state: State = { name: "idle" };
  #cancelNext: CancelTimer | undefined;
  /** Set while a change waits for its report. */
  #cancelChange: CancelTimer | undefined;
  /** Set while a report that failed waits to be tried again. */
  #cancelRetry: CancelTimer | undefined;
  /** Reports that failed one after the other. */
  #failures = 0;
  #reportedAt = -Infinity;
  /** Whether the last report told of no traffic. */
  #quiet = true;
  /** Whether traffic began while a report was under way that told of none. */
  #again = false;
  #complainedAt = -Infinity;

  constructor(init: ReportsInit) {
    this.#init = init;
  }

  /** Begins. */
  start(): void {
    this.#cancelNext = this.#init.clock.after(this.#init.interval, () => this.start());
    this.#report();
  }

  /** Traffic begins. */
  active(): void {
    if (!this.#quiet) return;
    if (this.#state.name === "sending") this.#again = true;
    else this.#report();
  }

  /** Agents came or went. */
  changed(): void {
    if (this.#state.name === "stopped" || this.#cancelChange !== undefined) return;
    const wait = Math.max(0, this.#reportedAt + CHANGE_GAP - this.#init.clock.now());
    this.#cancelChange = this.#init.clock.after(wait, () => {
      this.#cancelChange = undefined;
      if (this.#state.name === "sending") this.#again = true;
      else this.#report();
    });
  }

  /** Sends what is left, within 2 s, and sends no more. */
  async stop(): Promise<void> {
    this.#cancelNext?.();
    this.#cancelChange?.();
    this.#cancelRetry?.();
    const left = this.#state;
    this.#setState({ name: "stopped" });
    const cancel = left.name === "sending"
      ? this.#init.clock.after(LAST_TIMEOUT, () => left.abort.abort(late()))
      : undefined;
    if (left.name === "sending") await left.done;
    cancel?.();
    await this.#send(this.#init.take(), LAST_TIMEOUT, new AbortController(), withoutAgents);
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #report(): void {
    if (this.#state.name !== "idle") return;
    this.#cancelRetry?.();
    const figures = this.#init.take();
    this.#reportedAt = this.#init.clock.now();
    this.#again = false;
    this.#quiet = figures.OpenStreams === 0 && figures.UserBytesIn + figures.UserBytesOut === 0;
    const abort = new AbortController();
    const done = this.#send(figures, SEND_TIMEOUT, abort).then((sent) => {
      if (this.#state.name !== "sending") return;
      this.#setState({ name: "idle" });
      if (!sent) this.#retry();
      else if (this.#again) this.#report();
    });
    this.#setState({ name: "sending", done, abort });
  }

  /** When the wait would be longer than the interval, the next report comes first anyway. */
  #retry(): void {
    const wait = RETRY_GAP * 2 ** this.#failures++;
    if (wait < this.#init.interval) this.#cancelRetry = this.#init.clock.after(wait, () => this.#report());
  }

  /**
   * Never rejects: a report that fails is put back and complained about, not too often.
   *
   * @returns Whether it was sent.
   */
  async #send(
    figures: Figures,
    timeout: number,
    abort: AbortController,
    select: (figures: Figures) => Partial<Figures> = (all) => all,
  ): Promise<boolean> {
    const { clock, log, send, putBack } = this.#init;
    const cancel = clock.after(timeout, () => abort.abort(late()));
    try {
      await send(select(figures), new Date(clock.wallTime()), abort.signal);
      this.#failures = 0;
      return true;
    } catch (error) {
      putBack(figures);
      if (clock.now() - this.#complainedAt < COMPLAIN_EVERY) return false;
      this.#complainedAt = clock.now();
      log.warn("report to CloudWatch failed, the next one tells the rest", { reason: String(error) });
      return false;
    } finally {
      cancel();
    }
  }
}

function withoutAgents(
  { ConnectedAgents: _agents, OnlyClient: _client, ...rest }: Figures,
): Partial<Figures> {
  return rest;
}

function late(): DOMException {
  return new DOMException("it takes too long", "TimeoutError");
}
