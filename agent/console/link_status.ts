import { z } from "zod";
import type { LinkFigures, SessionFigures } from "../../shared/mux/session/session_figures.ts";
import { countOf } from "../../shared/text/count_of.ts";

/** A connection in a status. */
const LINK_SCHEMA = z.object({
  /** Its number in its session, from 1; the logs of agent and server have the same. */
  id: z.number(),
  /** Address and port of the other end: the server, or the upstream proxy. */
  remote: z.string(),
  /** Lowest recent round trip; absent before the first measurement. */
  round_trip_ms: z.number().optional(),
  /** What the path carries of what the agent sends; absent until enough was sent to know. */
  send_bytes_per_s: z.number().optional(),
  /** Bytes that arrived at either end. */
  transferred_bytes: z.number(),
  /** Whether the server has acknowledged nothing for too long, so that others take over (SPEC.md 3.8). */
  suspect: z.boolean(),
  /** Which streams the agent sends by it: all, interactive, bulk or nothing. */
  carries: z.string(),
});

/** A session in a status. */
export const SESSION_SCHEMA = z.object({
  /** Its name; the logs of agent and server have the same. */
  session: z.string(),
  /** Open streams. */
  streams: z.number(),
  /** Its connections; none while it waits for one. */
  links: z.array(LINK_SCHEMA),
});

type LinkStatus = z.output<typeof LINK_SCHEMA>;

/** A session with a server, as a status shows it. */
export type SessionStatus = z.output<typeof SESSION_SCHEMA>;

/** A session as a status shows it. */
export function sessionStatus({ name = "", streams, links }: SessionFigures): SessionStatus {
  return { session: name, streams, links: links.map(linkStatus) };
}

function linkStatus({ id, remotes, roundTripMs, sendRate, ...link }: LinkFigures): LinkStatus {
  return {
    id,
    remote: remotes.join(" "),
    ...roundTripMs !== undefined && { round_trip_ms: Math.round(roundTripMs * 10) / 10 },
    ...sendRate !== undefined && { send_bytes_per_s: Math.round(sendRate) },
    transferred_bytes: link.transferred,
    suspect: link.isSuspect,
    carries: link.carries,
  };
}

/** The connections of a session as a line of text; none while it waits for one. */
export function linkLines({ links }: SessionStatus): string[] {
  if (links.length === 0) return [];
  const noun = links.length === 1 ? "link" : "links";
  const remotes = [...new Set(links.map(({ remote }) => remote))].join(" ");
  return [`${noun} to ${remotes}: ${links.map(linkText).join(", ")}`];
}

function linkText({ id, round_trip_ms, send_bytes_per_s, suspect, carries }: LinkStatus): string {
  const facts = [
    round_trip_ms === undefined ? [] : `round trip ${round_trip_ms} ms`,
    send_bytes_per_s === undefined ? [] : `sends up to ${(send_bytes_per_s * 8 / 1e6).toFixed(1)} Mbit/s`,
    suspect ? "suspect" : `carries ${carries}`,
  ];
  return `${id} (${facts.flat().join(", ")})`;
}

/** What losing connections cost as a line of text; none while it cost nothing. */
export function lossLines(resumptions: number, resentBytes: number): string[] {
  if (resumptions === 0 && resentBytes === 0) return [];
  const sentAgain = resentBytes === 0 ? "" : `, ${(resentBytes / 1e6).toFixed(1)} MB sent again`;
  return [`resumed ${countOf(resumptions, "time")}${sentAgain}`];
}
