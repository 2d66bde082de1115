import type { Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import type { OpenStream } from "./open_stream.ts";

/** Where the front door writes; a LogTape logger is one. */
export interface FrontDoorLog {
  debug(message: string, properties?: Record<string, unknown>): void;
  info(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
}

/** A request that was not served, for the console's list of last refusals. */
export interface RefusedRequest {
  /** How the client asked; "tcp" when its connection was refused before it could. */
  protocol: "connect" | "http" | "websocket" | "socks5" | "tcp";
  /** What it asked for, as it wrote it. */
  target: string;
  /** Why it was not served. */
  error: SallyportError;
}

/** What the handlers of the front door share. */
export interface FrontDoorContext {
  openStream: OpenStream;
  clock: Clock;
  log: FrontDoorLog;
  /** Milliseconds without a byte either way after which a tunnel ends. */
  idleTimeoutMs: number;
  /** Milliseconds for a SOCKS5 handshake, or for a request's head. */
  headTimeoutMs: number;
  /** Milliseconds after which the client may try again, where that is known. */
  retryAfterMs(error: SallyportError): number | undefined;
  /** Hears of every request that was not served. */
  refused(request: RefusedRequest): void;
}
