import type { SallyportError } from "../errors.ts";

/** What a connection tells its session. */
export interface TransportEvents {
  /** Bytes arrived; the session may keep them. */
  data(bytes: Uint8Array): void;
  /** The connection is over; called exactly once. `error` is undefined after an orderly end. */
  closed(error: SallyportError | undefined): void;
}

/** A connection that carries frames. Adapters make one of a socket, or of memory in tests. */
export interface Transport {
  /** Addresses with ports of the other end; several when it stands for several connections. @default {none} */
  readonly remotes?: readonly string[];
  /** Begins to deliver events. Called once, before anything else. */
  start(events: TransportEvents): void;
  /**
   * Takes `bytes` in order. `written` runs once the connection has handed them on; until then the
   * caller must not reuse them. It never runs when the connection closes first.
   */
  write(bytes: Uint8Array, written: () => void): void;
  /** Reads nothing more for now, so that the peer has to wait; what was read already is still delivered. */
  pause(): void;
  /** Goes on reading; without a `pause` it does nothing. */
  resume(): void;
  /** Ends in order: what was written still goes out. */
  close(): void;
  /** Ends at once; what was not yet handed on is lost. */
  abort(): void;
}
