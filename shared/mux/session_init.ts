import type { Clock } from "../clock.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import type { SessionOptions } from "./options.ts";
import type { SessionEvents } from "./session_events.ts";
import type { Role } from "./stream_table.ts";
import type { Transport } from "./transport.ts";

/** What makes a session. */
export interface SessionInit {
  /** The connection, whose peer was already let in. */
  transport: Transport;
  /** Which end this is. */
  role: Role;
  /** Who hears of what happens. */
  events: SessionEvents;
  /** Where time comes from. */
  clock: Clock;
  /** @default those of `DEFAULT_SESSION_OPTIONS` */
  options?: Partial<SessionOptions>;
  /** Memory shared by all sessions of a process. @default 64 MiB of its own */
  budget?: MemoryBudget;
  /** Who the peer is, for its share of the memory. @default {all are one} */
  client?: string;
}
