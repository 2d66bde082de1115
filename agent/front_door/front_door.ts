import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import { Acceptor } from "../../shared/net/acceptor.ts";
import type { OpenStream } from "./client/open_stream.ts";
import { ClientConnections } from "./client/client_connections.ts";
import type { FrontDoorContext, FrontDoorLog, RefusedRequest } from "./client/context.ts";
import { detectProtocol } from "./client/protocol_detection.ts";
import { type EagerTunnels, ReachedHosts } from "./client/reached_hosts.ts";
import { createAuthorize, type Credentials } from "./client/proxy_auth.ts";
import { refuseOutOfDescriptors, refuseOverLimit } from "./connection_limit.ts";
import { HttpListener } from "./http/http_listener.ts";
import { handleSocks5 } from "./socks/socks5.ts";

/** Limits of a front door. Times are milliseconds. */
export interface FrontDoorLimits {
  /** Time without a byte in either direction after which a client's stream is closed. @default 600000 */
  idleTimeoutMs: number;
  /** Time for a connection's first byte. @default 30000 */
  firstByteTimeoutMs: number;
  /** Time for the head of a request, or for a SOCKS5 handshake. @default 30000 */
  headTimeoutMs: number;
  /** Time that a connection may wait for its next request. @default 75000 */
  keepAliveTimeoutMs: number;
  /** Bytes of a request's line and headers. @default 65536 */
  maxHeaderBytes: number;
  /** Clients connected at once. One more replaces an idle one, or is refused. @default 4096 */
  maxConnections: number;
}

/** Options of {@linkcode openFrontDoor}. */
export interface FrontDoorOptions extends Partial<FrontDoorLimits> {
  /** Address to listen on. */
  host: string;
  /** Port to listen on; 0 picks a free one. */
  port: number;
  /** Opens streams to targets. */
  openStream: OpenStream;
  clock: Clock;
  log: FrontDoorLog;
  /** Whether tunnels to hosts that were reached lately are answered before the server answers. @default true */
  eager?: boolean;
  /** What clients have to authenticate with. @default {no authentication} */
  credentials?: Credentials | undefined;
  /** Milliseconds after which a client may try again, if known. @default {not known} */
  retryAfterMs?(error: SallyportError): number | undefined;
  /** The console's URL, without a trailing slash, once it is open. @default {no console} */
  console?(): string | undefined;
  /** Path of the agent's configuration file, for commands on pages. @default {none} */
  configFile?: string | undefined;
  /** Called for every refused request. */
  onRefused?(request: RefusedRequest): void;
}

const DEFAULT_LIMITS: Readonly<FrontDoorLimits> = {
  idleTimeoutMs: 600_000,
  firstByteTimeoutMs: 30_000,
  headTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  maxHeaderBytes: 65_536,
  maxConnections: 4_096,
};

/** An open front door. */
export interface FrontDoor {
  /** Where it listens. */
  readonly address: AddressInfo;
  /** Connected clients. */
  readonly connectionCount: number;
  /** Tunnels that were answered early; undefined if none are. */
  readonly eager: EagerTunnels | undefined;
  /**
   * Stops accepting and closes idle connections at once. Open requests and streams get `timeoutMs` milliseconds to
   * end before their connections are closed. Resolves when no connection is left.
   */
  drain(timeoutMs: number): Promise<void>;
  /** Stops accepting and closes all connections at once. */
  close(): Promise<void>;
}

type Settings = FrontDoorOptions & FrontDoorLimits;

/**
 * Opens the agent's local proxy port: HTTP and SOCKS5 on one port, distinguished by the first byte.
 *
 * @throws SallyportError when it cannot listen there, for example because the port is in use.
 */
export async function openFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const settings: Settings = { ...DEFAULT_LIMITS, ...options };
  const context = createContext(settings);
  const connections = createConnections(settings);
  const serve = createConnectionHandler(context, connections, settings);
  const acceptor = await listen(context, connections, settings, serve);
  return {
    address: acceptor.address,
    get connectionCount() {
      return connections.count;
    },
    eager: context.eager,
    async drain(timeoutMs) {
      acceptor.close();
      connections.drain();
      const cancel = settings.clock.after(timeoutMs, () => connections.destroy());
      await connections.empty();
      cancel();
    },
    async close() {
      acceptor.close();
      connections.destroy();
      await connections.empty();
    },
  };
}

function createContext(settings: Settings): FrontDoorContext {
  const { openStream, clock, log, idleTimeoutMs, headTimeoutMs, credentials, configFile } = settings;
  const { eager = true } = settings;
  return {
    openStream,
    eager: eager ? { hosts: new ReachedHosts(clock), answered: 0, failed: 0 } : undefined,
    clock,
    log,
    idleTimeoutMs,
    headTimeoutMs,
    configFile,
    authorize: credentials && createAuthorize(credentials),
    retryAfterMs: (error) => settings.retryAfterMs?.(error),
    console: () => settings.console?.(),
    refused(request) {
      const { protocol, target, error, answeredEarly } = request;
      const early = answeredEarly === true && { answered_early: true };
      log.info("request refused", { protocol, target, code: error.code, error: error.message, ...early });
      settings.onRefused?.(request);
    },
  };
}

function createConnections({ clock, maxConnections, log }: Settings): ClientConnections {
  return new ClientConnections({
    clock,
    maxConnections,
    onEvicted: ({ remoteAddress: from }) => log.debug("client evicted for another one", { from }),
  });
}

/** Returns what serves each accepted connection by its protocol, or refuses it at the limit. */
function createConnectionHandler(
  context: FrontDoorContext,
  connections: ClientConnections,
  settings: Settings,
): (socket: Socket) => void {
  const http = new HttpListener(context, connections, settings);
  return (socket) => {
    connections.add(socket);
    if (!connections.serve(socket)) {
      const { count } = connections;
      return refuseOverLimit(context, socket, { count, maxConnections: settings.maxConnections });
    }
    detectProtocol(socket, settings, (protocol, bytes) => {
      if (protocol === "http") return http.accept(socket, bytes);
      // Idle until the handshake is complete, so that a stalled one can be evicted.
      handleSocks5(context, socket, bytes, () => connections.markBusy(socket));
    });
  };
}

function listen(
  context: FrontDoorContext,
  connections: ClientConnections,
  { host, port, log }: Settings,
  serve: (socket: Socket) => void,
): Promise<Acceptor> {
  return Acceptor.open({
    host,
    port,
    allowHalfOpen: true,
    onConnection: serve,
    onCrowded(socket, error) {
      if (connections.makeWay(socket)) return serve(socket);
      connections.add(socket);
      refuseOutOfDescriptors(context, socket, error);
    },
    onError: ({ code, message }) => log.warn("connections not accepted", { code, error: message }),
    onReopened: (downMs) => log.info("proxy port open again", { down_for_ms: Math.round(downMs) }),
  });
}
