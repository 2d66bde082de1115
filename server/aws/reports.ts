import { CLIENT_OPTIONS } from "../../shared/aws/client_options.ts";
import type { CancelTimer, Clock } from "../../shared/clock.ts";
import {
  BY_SECOND,
  METRIC_DIMENSION,
  type MetricFigures,
  type MetricName,
  METRICS,
} from "../../shared/cloud/metric_names.ts";
import type { Logger } from "../../shared/log.ts";
import { withDeadline } from "../../shared/net/deadline.ts";
import { OutageLog } from "../../shared/resilience/outage_log.ts";
import type { MetricsConfig } from "../config/config.ts";

/** What makes {@linkcode Reports}. */
export interface ReportsInit {
  /** Milliseconds between two reports. */
  readonly interval: number;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn">;
  /** The figures since the last call. */
  take(): MetricFigures;
  /** Adds figures back that could not be sent. */
  putBack(figures: MetricFigures): void;
  /** Sends a report; rejects on failure, and when the signal aborts. */
  send(figures: Partial<MetricFigures>, at: Date, signal: AbortSignal): Promise<void>;
}

/** Milliseconds that a report may take; traffic does not wait for it. */
const SEND_TIMEOUT_MS = 10_000;
/** Milliseconds that the last report may delay the shutdown. */
const LAST_TIMEOUT_MS = 2_000;
/** Milliseconds between reports about agents that connect or disconnect: each report is billed. */
const CHANGE_GAP_MS = 5_000;
/** Milliseconds until the first retry of a failed report; doubles with each failure. */
const RETRY_GAP_MS = CHANGE_GAP_MS;
/** Milliseconds between two log lines about reports that fail for the same reason. */
const LOG_EVERY_MS = 600_000;

type State =
  | { readonly name: "idle" }
  | { readonly name: "sending"; readonly done: Promise<void>; readonly abort: AbortController }
  | { readonly name: "stopped" };

/**
 * Reports at the start, every interval, and at the end, one report at a time. A failed report is retried within
 * seconds with up-to-date figures: otherwise Kill would act on the report before it.
 *
 * The last report leaves out the agents: while servers are replaced, its 0 would be the newest figure although other
 * servers have agents.
 *
 * Traffic after a quiet period is reported at once, so that Sleep does not take this server for idle during a whole
 * interval. Agents that connect or disconnect are reported within seconds: Kill acts on the newest report.
 */
export class Reports {
  readonly #init: ReportsInit;
  #state: State = { name: "idle" };
  #cancelNext: CancelTimer | undefined;
  /** Set while a change waits for its report. */
  #cancelChange: CancelTimer | undefined;
  /** Set while a failed report waits for its retry. */
  #cancelRetry: CancelTimer | undefined;
  /** Consecutive failed reports. */
  #failures = 0;
  #reportedAt = -Infinity;
  /** Whether the last report contained no traffic. */
  #quiet = true;
  /** Whether traffic or a change of agents came while a report was being sent. */
  #again = false;
  readonly #outage: OutageLog;

  constructor(init: ReportsInit) {
    this.#init = init;
    this.#outage = new OutageLog({ clock: init.clock, every: LOG_EVERY_MS });
  }

  /** Sends the first report and schedules the rest. */
  start(): void {
    this.#cancelNext = this.#init.clock.after(this.#init.interval, () => this.start());
    this.#report();
  }

  /** Call when traffic begins. */
  active(): void {
    if (!this.#quiet) return;
    if (this.#state.name === "sending") this.#again = true;
    else this.#report();
  }

  /** Call when the connected agents change. */
  changed(): void {
    if (this.#state.name === "stopped" || this.#cancelChange !== undefined) return;
    const wait = Math.max(0, this.#reportedAt + CHANGE_GAP_MS - this.#init.clock.now());
    this.#cancelChange = this.#init.clock.after(wait, () => {
      this.#cancelChange = undefined;
      if (this.#state.name === "sending") this.#again = true;
      else this.#report();
    });
  }

  /** Sends the remaining figures within 2 s, and then nothing more. */
  async stop(): Promise<void> {
    this.#cancelNext?.();
    this.#cancelChange?.();
    this.#cancelRetry?.();
    const left = this.#state;
    this.#setState({ name: "stopped" });
    const cancel = left.name === "sending"
      ? this.#init.clock.after(LAST_TIMEOUT_MS, () => left.abort.abort())
      : undefined;
    if (left.name === "sending") await left.done;
    cancel?.();
    await this.#send(this.#init.take(), LAST_TIMEOUT_MS, new AbortController(), withoutAgents);
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
    const done = this.#send(figures, SEND_TIMEOUT_MS, abort).then((sent) => {
      if (this.#state.name !== "sending") return;
      this.#setState({ name: "idle" });
      if (!sent) this.#retry();
      else if (this.#again) this.#report();
    });
    this.#setState({ name: "sending", done, abort });
  }

  /** Not scheduled beyond the interval: the next report comes first anyway. */
  #retry(): void {
    const wait = RETRY_GAP_MS * 2 ** this.#failures++;
    if (wait < this.#init.interval) this.#cancelRetry = this.#init.clock.after(wait, () => this.#report());
  }

  /**
   * Never rejects: the figures of a failed report are put back, and the failure is logged, but not too often.
   *
   * @returns Whether the report was sent.
   */
  async #send(
    figures: MetricFigures,
    timeoutMs: number,
    abort: AbortController,
    select: (figures: MetricFigures) => Partial<MetricFigures> = (all) => all,
  ): Promise<boolean> {
    const { clock, log, send, putBack } = this.#init;
    const deadline = { doing: "report to CloudWatch", timeoutMs, signal: abort.signal, clock };
    try {
      await withDeadline(deadline, (signal) => send(select(figures), new Date(clock.wallTime()), signal));
      this.#failures = 0;
      const outage = this.#outage.recovered();
      if (outage !== undefined) log.info("CloudWatch reports resumed", { ...outage });
      return true;
    } catch (error) {
      putBack(figures);
      const reason = String(error);
      const outage = this.#outage.failed(reason);
      if (outage !== undefined) {
        log.warn("CloudWatch report failed, the next one includes its figures", { error: reason, ...outage });
      }
      return false;
    }
  }
}

function withoutAgents(
  { ConnectedAgents: _agents, OnlyClient: _client, ...rest }: MetricFigures,
): Partial<MetricFigures> {
  return rest;
}

/**
 * Makes a function that sends reports to CloudWatch. The library is loaded here, so that a server without metrics
 * spends neither memory nor time on it.
 */
export async function cloudWatch(
  { namespace: Namespace, name }: Pick<MetricsConfig, "namespace" | "name">,
): Promise<(figures: Partial<MetricFigures>, at: Date, signal: AbortSignal) => Promise<void>> {
  const { CloudWatchClient, PutMetricDataCommand } = await import("@aws-sdk/client-cloudwatch");
  const client = new CloudWatchClient(CLIENT_OPTIONS);
  const Dimensions = [{ Name: METRIC_DIMENSION, Value: name }];
  return async (figures, Timestamp, abortSignal) => {
    const MetricData = Object.entries(figures).map(([MetricName, Value]) => ({
      MetricName,
      Dimensions,
      Timestamp,
      Unit: METRICS[MetricName as MetricName],
      Value,
      ...(BY_SECOND.has(MetricName) ? { StorageResolution: 1 } : {}),
    }));
    await client.send(new PutMetricDataCommand({ Namespace, MetricData }), { abortSignal });
  };
}
