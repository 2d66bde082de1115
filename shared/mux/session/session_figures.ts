import type { Link } from "../link/link.ts";
import type { LinkUse } from "./scheduler.ts";

/** A link as it is at one moment. */
export interface LinkFigures {
  /** The dialer's number of it in its session (SPEC.md 3.6), from 1. */
  readonly id: number;
  /** Addresses with ports of the other end. */
  readonly remotes: readonly string[];
  /** Lowest recent round trip, in milliseconds; undefined before the first measurement. */
  readonly roundTripMs: number | undefined;
  /** Bytes a second that it carries of what this end sends; undefined until enough was sent to know. */
  readonly sendRate: number | undefined;
  /** Bytes of frames that arrived at either end. */
  readonly transferred: number;
  /** Whether the peer has acknowledged nothing for too long (SPEC.md 3.8). */
  readonly isSuspect: boolean;
  /** What this end sends by it. */
  readonly carries: LinkUse;
}

/** The links of a session at one moment, and what losing them cost so far. */
export interface LinkSetFigures {
  /** Open links, the oldest first. */
  readonly links: readonly LinkFigures[];
  /** Whether it has no link and waits for one (SPEC.md 3.7). */
  readonly isWaiting: boolean;
  /** How often it continued after it had no link. */
  readonly resumptions: number;
  /** Bytes of bodies that this end sent again. */
  readonly resentBytes: number;
}

/** A session at one moment. */
export interface SessionFigures extends LinkSetFigures {
  /** What it is called in logs; undefined if its owner has not named it. */
  readonly name: string | undefined;
  /** Open streams. */
  readonly streams: number;
}

/** All sessions of a process at one moment, and what they did since it started. */
export interface SessionTotals {
  readonly sessions: number;
  /** Sessions that have no link and wait for one (SPEC.md 3.7). */
  readonly waiting: number;
  /** Open links. */
  readonly links: number;
  /** Open streams. */
  readonly streams: number;
  /** How often sessions continued after they had no link; those that are over count, too. */
  readonly resumptions: number;
  /** Bytes of bodies that this end sent again; sessions that are over count, too. */
  readonly resentBytes: number;
}

/** A link's figures. @param carries What this end sends by it. */
export function linkFigures(link: Link, carries: LinkUse): LinkFigures {
  const { id, remotes, transferred, isSuspect, sender: { path } } = link;
  return { id, remotes, roundTripMs: path.roundTrip, sendRate: path.rate, transferred, isSuspect, carries };
}

/** Adds up sessions, and remembers the counts of those that are over. */
export class SessionCounter {
  #resumptions = 0;
  #resentBytes = 0;

  /** A session is over: its counts stay in the totals. */
  ended({ resumptions, resentBytes }: SessionFigures): void {
    this.#resumptions += resumptions;
    this.#resentBytes += resentBytes;
  }

  /** The totals with these sessions, which are not over. */
  totals(sessions: readonly SessionFigures[]): SessionTotals {
    const sum = (valueOf: (session: SessionFigures) => number) =>
      sessions.reduce((total, session) => total + valueOf(session), 0);
    return {
      sessions: sessions.length,
      waiting: sum(({ isWaiting }) => isWaiting ? 1 : 0),
      links: sum(({ links }) => links.length),
      streams: sum(({ streams }) => streams),
      resumptions: this.#resumptions + sum(({ resumptions }) => resumptions),
      resentBytes: this.#resentBytes + sum(({ resentBytes }) => resentBytes),
    };
  }
}
