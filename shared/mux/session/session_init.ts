import type { Clock } from "../../clock.ts";
import type { MemoryBudget } from "../flow/memory_budget.ts";
import type { SessionOptions } from "../options.ts";
import type { Role } from "../stream/stream_ids.ts";
import type { SessionTrace } from "../trace.ts";
import type { SessionEvents } from "./session_events.ts";

/** What makes a {@linkcode Session}. */
export interface SessionInit {
  /** Which end this is. */
  role: Role;
  /** The session's id, which is a secret: 32 lower-case hexadecimal digits (SPEC.md 3.6). */
  key: string;
  /** What the session is called in logs, since its id is a secret. @default {nothing} */
  name?: string;
  /** Handlers of what happens on the session. */
  events: SessionEvents;
  /** Learns what happens inside the session, for logs. @default {nothing is traced} */
  trace?: SessionTrace | undefined;
  clock: Clock;
  /** @default those of `DEFAULT_SESSION_OPTIONS` */
  options?: Partial<SessionOptions>;
  /** Memory shared by all sessions of a process. @default {64 MiB for this session} */
  budget?: MemoryBudget;
  /** Who the peer is, for its share of the memory. @default {all have the same client} */
  client?: string;
}
