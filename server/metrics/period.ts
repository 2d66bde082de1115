import { clientNumber } from "../../shared/cloud/client_number.ts";
import type { MetricName } from "../../shared/cloud/metric_names.ts";
import type { CountedStream } from "./counters.ts";

/** What a period's report says: a value for each metric. */
export type PeriodFigures = Readonly<Record<MetricName, number>>;

/** What is true at the moment. */
export interface PeriodGauges {
  /** Open streams. */
  readonly streams: number;
  /** Agent processes that are connected. */
  readonly agents: number;
  /** Fingerprint of the certificate of all of them; undefined when there are several, or no agent. */
  readonly onlyClient: string | undefined;
}

/** Codes of streams that failed without any fault but the client's. */
const CLIENTS_DOING: ReadonlySet<string> = new Set(["cancelled", "bad_request", "target_denied"]);
const NOTHING = { bytesIn: 0, bytesOut: 0, requests: 0, errors: 0, peak: 0 };

/** Counts what happens from one report to the next. Bytes are counted when their stream is over. */
export class Period {
  readonly #gauges: () => PeriodGauges;
  #counted = { ...NOTHING };

  constructor(gauges: () => PeriodGauges) {
    this.#gauges = gauges;
  }

  /** A stream begins. */
  streamBegun(): void {
    this.#counted.requests++;
    this.#counted.peak = Math.max(this.#counted.peak, this.#gauges().streams);
  }

  /** A stream is over. */
  streamDone({ code, bytesIn, bytesOut }: CountedStream): void {
    this.#counted.bytesIn += bytesIn;
    this.#counted.bytesOut += bytesOut;
    if (code !== undefined && !CLIENTS_DOING.has(code)) this.#counted.errors++;
  }

  /** The figures of the period that ends now; the next begins. */
  take(): PeriodFigures {
    const { bytesIn, bytesOut, requests, errors, peak } = this.#counted;
    const { streams, agents, onlyClient } = this.#gauges();
    this.#counted = { ...NOTHING };
    return {
      UserBytesIn: bytesIn,
      UserBytesOut: bytesOut,
      // The most that were open at once: one that came and went between two reports was there too.
      OpenStreams: Math.max(peak, streams),
      ConnectedAgents: agents,
      OnlyClient: onlyClient === undefined ? 0 : clientNumber(onlyClient),
      Requests: requests,
      Errors: errors,
    };
  }

  /** Counts figures once more that reached nobody. */
  putBack({ UserBytesIn, UserBytesOut, OpenStreams, Requests, Errors }: PeriodFigures): void {
    this.#counted.bytesIn += UserBytesIn;
    this.#counted.bytesOut += UserBytesOut;
    this.#counted.requests += Requests;
    this.#counted.errors += Errors;
    this.#counted.peak = Math.max(this.#counted.peak, OpenStreams);
  }
}
