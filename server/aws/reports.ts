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
  send(figures: Figures, at: Date, signal: AbortSignal): Promise<void>;
}

/** Milliseconds that a report may take; traffic does not wait for it. */
const SEND_TIMEOUT = 10_000;
/** Milliseconds that the last report may hold up the end. */
const LAST_TIMEOUT = 2_000;
/** Milliseconds between a report and the next that tells that agents came or went: each is billed. */
const CHANGE_GAP = 5_000;
/** Milliseconds between two complaints about reports that fail. */
const COMPLAIN_EVERY = 600_000;

type State =
  | { readonly name: "idle" }
  | { readonly name: "sending"; readonly done: Promise<void>; readonly abort: AbortController }
  | { readonly name: "stopped" };

/**
 * Reports every interval, at once when it starts, and when it stops. One report is under way at a time; what one
 * that fails would have told is told by the next.
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
    const left = this.#state;
    this.#setState({ name: "stopped" });
    const cancel = left.name === "sending"
      ? this.#init.clock.after(LAST_TIMEOUT, () => left.abort.abort(late()))
      : undefined;
    if (left.name === "sending") await left.done;
    cancel?.();
    await this.#send(this.#init.take(), LAST_TIMEOUT, new AbortController());
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #report(): void {
    if (this.#state.name !== "idle") return;
    const figures = this.#init.take();
    this.#reportedAt = this.#init.clock.now();
    this.#again = false;
    this.#quiet = figures.OpenStreams === 0 && figures.UserBytesIn + figures.UserBytesOut === 0;
    const abort = new AbortController();
    const done = this.#send(figures, SEND_TIMEOUT, abort).then(() => {
      if (this.#state.name !== "sending") return;
      this.#setState({ name: "idle" });
      if (this.#again) this.#report();
    });
    this.#setState({ name: "sending", done, abort });
  }

  /** Never rejects: a report that fails is put back and complained about, not too often. */
  async #send(figures: Figures, timeout: number, abort: AbortController): Promise<void> {
    const { clock, log, send, putBack } = this.#init;
    const cancel = clock.after(timeout, () => abort.abort(late()));
    try {
      await send(figures, new Date(clock.wallTime()), abort.signal);
    } catch (error) {
      putBack(figures);
      if (clock.now() - this.#complainedAt < COMPLAIN_EVERY) return;
      this.#complainedAt = clock.now();
      log.warn("report to CloudWatch failed, the next one tells the rest", { reason: String(error) });
    } finally {
      cancel();
    }
  }
}

function late(): DOMException {
  return new DOMException("it takes too long", "TimeoutError");
}
