import type { SallyportError } from "../errors.ts";

/** What happens on a connection. */
export interface TransportEvents {
  /** Bytes arrived; the receiver may keep them. */
  data(bytes: Uint8Array): void;
  /**
   * The peer is no longer accepted; the receiver ends what the connection is used for, and closes it.
   * @default {the connection is cut}
   */
  rejected?(error: SallyportError): void;
  /** The connection is closed; called exactly once. `error` is undefined after an orderly end. */
  closed(error: SallyportError | undefined): void;
}

/** A connection that carries frames. Adapters make one from a socket, or in memory for tests. */
export interface Transport {
  /** Addresses with ports of the other end; several when this stands for several connections. @default {none} */
  readonly remotes?: readonly string[];
  /** Starts delivery of events. Called once, before anything else. */
  start(events: TransportEvents): void;
  /**
   * Writes `bytes`, in order. `written` runs once the connection no longer needs them; until then the caller must not
   * reuse them. It never runs when the connection closes first.
   */
  write(bytes: Uint8Array, written: () => void): void;
  /** Pauses reading, so that the peer has to wait; bytes that were read already are still delivered. */
  pause(): void;
  /** Resumes reading; without a `pause` it does nothing. */
  resume(): void;
  /** Closes in order: what was written is still sent. */
  close(): void;
  /** Closes at once; what was not yet sent is lost. */
  abort(): void;
}
