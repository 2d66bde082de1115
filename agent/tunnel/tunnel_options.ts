import type { Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import type { SessionFigures, SessionTotals } from "../../shared/mux/session/session_figures.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { TraceFactory } from "../../shared/trace/session_trace.ts";

/** Options of the tunnel; times are in milliseconds. */
export interface TunnelOptions {
  /** The most sessions with servers. @default 4 */
  maxSessions: number;
  /** Streams of each session before another one is opened. @default 2048 */
  streamsPerSession: number;
  /** The most connections of each session. @default 8 */
  maxLinks: number;
  /** How long a stream waits for a connection before it is refused. @default 10000 */
  waitTimeout: number;
  /** Time between dials while streams wait. @default 1000 */
  urgentRetry: number;
  /** How long a refused stream counts as waiting, because its client will retry. @default 10000 */
  missedFor: number;
}

/** The defaults. */
export const DEFAULT_TUNNEL_OPTIONS: Readonly<TunnelOptions> = {
  maxSessions: 4,
  streamsPerSession: 2_048,
  maxLinks: 8,
  waitTimeout: 10_000,
  urgentRetry: 1_000,
  missedFor: 10_000,
};

/** The state of the tunnel. */
export type TunnelState =
  /** Not started, or stopped. */
  | { name: "closed" }
  /** Looking for the server, and perhaps waking it. */
  | { name: "locating" }
  /** No server runs, and none is woken until a stream needs one; `error` is why the last search failed. */
  | { name: "asleep"; error: SallyportError | undefined }
  /** Dialling; `attempt` counts from 1 since the tunnel was last ready. */
  | { name: "connecting"; attempt: number }
  /** At least one session accepts streams. */
  | { name: "ready" }
  /** All connections are lost; open streams wait for a new one, until the session's time for that is over. */
  | { name: "resuming" }
  /** The last dial failed; the next one starts at `retryAt` on the clock. */
  | { name: "failed"; error: SallyportError; attempt: number; retryAt: number }
  /** Accepts no new streams and waits for open ones. */
  | { name: "draining" };

/** The tunnel's sessions at one moment. */
export interface TunnelFigures {
  /** Open sessions. */
  readonly sessions: readonly SessionFigures[];
  /** All of them, and what they and earlier ones did since the agent started. */
  readonly totals: SessionTotals;
}

/** A connection to a server that was verified. */
export interface ServerConnection {
  readonly transport: Transport;
  /** Connects to the same server once more; rejects when that fails or `signal` aborts. */
  redial(signal: AbortSignal): Promise<Transport>;
}

/** Connects to a server and verifies it; rejects when that fails or `signal` aborts. */
export type Dial = (signal: AbortSignal) => Promise<ServerConnection>;

/**
 * Waits until a server can be dialled; resolves with false if none runs and no stream needs one.
 * @param isWanted Whether a stream is waiting now.
 */
type Locate = (isWanted: () => boolean, signal: AbortSignal) => Promise<boolean>;

/** What {@linkcode Tunnel} needs. */
export interface TunnelInit {
  dial: Dial;
  /** Finds the server before it is dialled, and may wake it. @default {the address is fixed} */
  locate?: Locate | undefined;
  /** The command line that finds the cause of a failure, for the log. @default {doctor without a configuration file} */
  doctor?: string;
  log: Logger;
  /** Traces what happens inside sessions. @default {nothing is traced} */
  trace?: TraceFactory | undefined;
  /** @default the system clock */
  clock?: Clock;
  options?: Partial<TunnelOptions>;
  session?: Partial<SessionOptions>;
  /** Memory of all streams beyond their first window. @default 48 MiB */
  budget?: MemoryBudget;
}
