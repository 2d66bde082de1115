import type { Clock } from "../../../shared/clock.ts";
import type { SallyportError } from "../../../shared/errors.ts";
import type { OpenStream } from "./open_stream.ts";
import type { Authorize } from "./proxy_auth.ts";
import type { EagerTunnels } from "./reached_hosts.ts";

/** Where the front door logs to, for example a LogTape logger. */
export interface FrontDoorLog {
  debug(message: string, properties?: Record<string, unknown>): void;
  info(message: string, properties?: Record<string, unknown>): void;
  warn(message: string, properties?: Record<string, unknown>): void;
}

/** A refused request, for the log and for the console's list of recent refusals. */
export interface RefusedRequest {
  /** The protocol of the request; "tcp" when the connection was refused before it sent one. */
  protocol: "connect" | "http" | "websocket" | "socks5" | "tcp";
  /** The target as the client wrote it. */
  target: string;
  error: SallyportError;
  /** Whether the client had been told that its tunnel is open, so that its connection was reset. @default false */
  answeredEarly?: boolean;
}

/** What the request handlers of the front door share. */
export interface FrontDoorContext {
  openStream: OpenStream;
  /** Tunnels that are answered early; undefined if none are. */
  eager: EagerTunnels | undefined;
  clock: Clock;
  log: FrontDoorLog;
  /** Milliseconds without a byte in either direction after which a client's stream is closed. */
  idleTimeoutMs: number;
  /** Milliseconds for a SOCKS5 handshake, or for the head of a request. */
  headTimeoutMs: number;
  /** Checks credentials; without it no credentials are needed. */
  authorize: Authorize | undefined;
  /** Milliseconds after which the client may try again, if known. */
  retryAfterMs(error: SallyportError): number | undefined;
  /** Path of the agent's configuration file, for commands on pages. @default {none} */
  configFile?: string | undefined;
  /** The console's URL for clients on this machine, without a trailing slash; undefined before it is open. */
  console(): string | undefined;
  /** Reports a refused request. */
  refused(request: RefusedRequest): void;
}
