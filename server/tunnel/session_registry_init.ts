import type { Clock } from "../../shared/clock.ts";
import type { ErrorCode, SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import type { MuxStream } from "../../shared/mux/stream/stream.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import type { TraceFactory } from "../../shared/trace/session_trace.ts";
import type { SessionUse } from "./session_use.ts";
import type { RefusalLog } from "./refusal_log.ts";

/** What makes a {@linkcode SessionRegistry}. */
export interface SessionRegistryInit {
  log: Logger;
  /** Traces what happens inside sessions. @default {nothing is traced} */
  trace?: TraceFactory;
  /** Logs agents that are refused or evicted. */
  refusals: Pick<RefusalLog, "addClient">;
  /** Memory of all streams beyond their first window. */
  budget: MemoryBudget;
  session: Partial<SessionOptions>;
  /**
   * Connections at once, shared by certificates; the agent learns why it is refused. As many sessions may wait for a
   * connection. @default {no limit}
   */
  maxConnections?: number;
  /** Why an agent with a valid certificate is refused; it learns the reason. @default {all are accepted} */
  refusalOf?(peer: Peer): SallyportError | undefined;
  /** An agent was refused or evicted. @default {not counted} */
  onRefused?(code: ErrorCode): void;
  /** @default the machine's clock */
  clock?: Clock;
}

/** Receives what happens in the sessions of a {@linkcode SessionRegistry}. */
export interface SessionListener {
  /** An agent opened a stream in `session`; the listener must `listen` and `resume`. */
  stream(stream: MuxStream, peer: Peer, session: SessionUse): void;
  /** The number of agents, or their only certificate, changed. @default {not reported} */
  agentsChanged?(): void;
}
