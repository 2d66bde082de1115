import { z } from "zod";
import type { TrustReport } from "../../shared/pki/identity/trust_report.ts";
import { countOf } from "../../shared/text/count_of.ts";
import { printable } from "../../shared/text/sanitize.ts";
import { linkLines, lossLines, SESSION_SCHEMA, type SessionStatus } from "./link_status.ts";

/** What `GET /status` answers. */
export interface AgentStatus extends TrustReport {
  /** The tunnel's state: closed, locating, waking, asleep, connecting, ready, resuming, failed or draining. */
  readonly state: string;
  /** The server's state in the cloud, while the state is waking. */
  readonly fleet?: string;
  /** Milliseconds since the server was first woken, while the state is waking. */
  readonly waking_for_ms?: number;
  /** Where the proxy listens. */
  readonly proxy: { readonly host: string; readonly port: number };
  /** Connections to servers. */
  readonly connections: number;
  /** Open streams through the tunnel. */
  readonly streams: number;
  /** Open streams to targets in `bypass`. */
  readonly direct_streams: number;
  /** Open connections of clients. */
  readonly clients: number;
  /** Whether tunnels to hosts that were reached lately are answered before the server answers. */
  readonly eager: boolean;
  /** Hosts and ports that tunnels reached in the last 10 minutes. */
  readonly reached_hosts: number;
  /** Tunnels that were answered early since the agent started. */
  readonly early_answers: number;
  /** How many of those were not reached, so that the client's connection was reset. */
  readonly early_failures: number;
  /** Sessions with servers, and their connections. */
  readonly sessions: readonly SessionStatus[];
  /** How often a session continued after it had lost all connections, since the agent started. */
  readonly resumptions: number;
  /** Bytes of bodies that the agent sent again, because a connection was lost or suspect. */
  readonly resent_bytes: number;
  /** Why connecting failed (state failed), or why no server was found (state asleep). */
  readonly error?: string;
  /** Milliseconds until the next attempt, while the state is failed. */
  readonly retry_in_ms?: number;
}

/** A single printable word: any program of this machine may have the port and answer anything. */
const WORD = z.string().regex(/^[\x21-\x7e]{1,255}$/);

/** The part of a status that another process reads. */
export const STATUS_SCHEMA = z.looseObject({
  state: z.string(),
  proxy: z.object({ host: WORD, port: z.int().min(0).max(65_535) }),
  connections: z.number(),
  streams: z.number(),
  clients: z.number(),
  sessions: z.array(SESSION_SCHEMA).readonly().optional(),
  resumptions: z.number().optional(),
  resent_bytes: z.number().optional(),
  error: z.string().optional(),
  retry_in_ms: z.number().optional(),
  fleet: z.string().optional(),
  waking_for_ms: z.number().optional(),
});

/** A status that another process answered. */
export type ReceivedStatus = z.output<typeof STATUS_SCHEMA>;

/** The part of a status that is shown to people. */
export type ShownStatus = Pick<
  ReceivedStatus,
  | "state"
  | "connections"
  | "streams"
  | "clients"
  | "sessions"
  | "resumptions"
  | "resent_bytes"
  | "error"
  | "retry_in_ms"
  | "fleet"
  | "waking_for_ms"
>;

/** A status as lines of text. */
export function statusLines(status: ShownStatus): string[] {
  const { state, connections, streams, clients, error, retry_in_ms, fleet, waking_for_ms } = status;
  const { sessions = [], resumptions = 0, resent_bytes = 0 } = status;
  const counts = [
    `${countOf(connections, "connection")} to servers`,
    countOf(streams, "stream"),
    countOf(clients, "client"),
  ];
  const lines = [
    `${state}: ${counts.join(", ")}`,
    ...sessions.flatMap(linkLines),
    ...lossLines(resumptions, resent_bytes),
  ];
  if (waking_for_ms !== undefined) {
    lines.push(`waking the server for ${seconds(waking_for_ms)}, state in the cloud: ${fleet}`);
  }
  if (error !== undefined) lines.push(error);
  if (retry_in_ms !== undefined) lines.push(`next attempt in ${seconds(retry_in_ms)}`);
  return lines.map(printable);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
