import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../shared/log.ts";
import type { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { TunnelOptions } from "./options.ts";

/** Makes one connection whose peer was let in; rejects when that fails or `signal` aborts. */
export type Dial = (signal: AbortSignal) => Promise<Transport>;

/**
 * Waits until there is a server to dial; resolves with false when there is none and nobody wants it.
 * @param isWanted Whether a stream waits for it, at the moment.
 */
export type Locate = (isWanted: () => boolean, signal: AbortSignal) => Promise<boolean>;

/** What makes a tunnel. */
export interface TunnelInit {
  dial: Dial;
  /** Finds the server before it is dialled, and may wake it. @default {the server is always there} */
  locate?: Locate | undefined;
  log: Logger;
  /** @default the machine's clock */
  clock?: Clock;
  options?: Partial<TunnelOptions>;
  session?: Partial<SessionOptions>;
  /** Memory of all streams beyond their first window. @default 48 MiB */
  budget?: MemoryBudget;
}
