import { clientNumber, type MetricFigures } from "../../shared/cloud/metric_names.ts";
import type { CountedStream } from "./counters.ts";

/** Current values. */
export interface PeriodGauges {
  /** Open streams. */
  readonly streams: number;
  /** Connected agent processes. */
  readonly agents: number;
  /** Identity of the certificate that all of them share; undefined when there are several, or no agent. */
  readonly onlyClient: string | undefined;
}

/** Codes of streams that failed because of the client alone. */
const CLIENT_ERRORS: ReadonlySet<string> = new Set(["cancelled", "bad_request", "target_denied"]);
const NOTHING = { bytesIn: 0, bytesOut: 0, requests: 0, errors: 0, peak: 0 };

/** Counts events between two reports. Bytes are counted when their stream is over. */
export class Period {
  readonly #gauges: () => PeriodGauges;
  #counted = { ...NOTHING };

  constructor(gauges: () => PeriodGauges) {
    this.#gauges = gauges;
  }

  /** Counts a new stream. */
  streamBegun(): void {
    this.#counted.requests++;
    this.#counted.peak = Math.max(this.#counted.peak, this.#gauges().streams);
  }

  /** Counts a finished stream. */
  streamDone({ code, bytesIn, bytesOut }: CountedStream): void {
    this.#counted.bytesIn += bytesIn;
    this.#counted.bytesOut += bytesOut;
    if (code !== undefined && !CLIENT_ERRORS.has(code)) this.#counted.errors++;
  }

  /** Ends the period: returns its figures and starts the next one. */
  take(): MetricFigures {
    const { bytesIn, bytesOut, requests, errors, peak } = this.#counted;
    const { streams, agents, onlyClient } = this.#gauges();
    this.#counted = { ...NOTHING };
    return {
      UserBytesIn: bytesIn,
      UserBytesOut: bytesOut,
      // The peak: a stream that opened and closed between two reports counts too.
      OpenStreams: Math.max(peak, streams),
      ConnectedAgents: agents,
      ...agents === 0 ? {} : { OnlyClient: onlyClient === undefined ? 0 : clientNumber(onlyClient) },
      Requests: requests,
      Errors: errors,
    };
  }

  /** Adds figures back that could not be sent. */
  putBack({ UserBytesIn, UserBytesOut, OpenStreams, Requests, Errors }: MetricFigures): void {
    this.#counted.bytesIn += UserBytesIn;
    this.#counted.bytesOut += UserBytesOut;
    this.#counted.requests += Requests;
    this.#counted.errors += Errors;
    this.#counted.peak = Math.max(this.#counted.peak, OpenStreams);
  }
}
