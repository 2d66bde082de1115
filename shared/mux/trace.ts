/** What happens to a session, to one of its links or to one of its streams. */
export type LifeEvent =
  | "session opened"
  /** It has no link, and waits for one (SPEC.md 3.7). */
  | "session waiting"
  | "session resumed"
  | "session ended"
  | "link opened"
  /** See SPEC.md 3.8. */
  | "link suspect"
  | "link recovered"
  /** This end gives it up: it delivers what is in flight, and closes. */
  | "link retired"
  /** It was retired, or the session is over. */
  | "link closed"
  | "link lost"
  | "stream opened"
  | "stream ended";

/** A frame was written to a link, or begins to arrive. */
export type FrameEvent = "frame sent" | "frame received";

/** Values of an event: numbers, codes and error messages, but neither content nor targets. */
export type TraceFields = Readonly<Record<string, string | number | undefined>>;

/**
 * Learns what happens inside a session, to log it. Its functions must not throw; one that is missing costs nothing.
 * `link` is the dialer's number of a link (SPEC.md 3.6), `stream` a stream's id: both ends use the same.
 */
export interface SessionTrace {
  life?(event: LifeEvent, fields: TraceFields): void;
  frame?(event: FrameEvent, fields: TraceFields): void;
}
