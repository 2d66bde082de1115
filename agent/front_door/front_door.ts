import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import { Acceptor } from "../../shared/net/acceptor.ts";
import { closeGently } from "./close_gently.ts";
import { Connections } from "./connections.ts";
import type { FrontDoorContext, FrontDoorLog, RefusedRequest } from "./context.ts";
import { SOCKS5, withFirstByte } from "./first_byte.ts";
import { HttpDoor } from "./http_door.ts";
import type { OpenStream } from "./open_stream.ts";
import { createAuthorize, type Credentials } from "./proxy_auth.ts";
import { encodeRefusal } from "./raw_response.ts";
import { refusalOf } from "./refusal.ts";
import { handleSocks5 } from "./socks5.ts";
import { turnAway } from "./turn_away.ts";

/** Limits of a front door. Times are milliseconds. */
export interface FrontDoorLimits {
  /** Silence both ways after which a tunnel ends. @default 600000 */
  idleTimeoutMs: number;
  /** Time for a connection's first byte. @default 30000 */
  firstByteTimeoutMs: number;
  /** Time for a request's head, or for a SOCKS5 handshake. @default 30000 */
  headTimeoutMs: number;
  /** How long a connection may wait for its next request. @default 75000 */
  keepAliveTimeoutMs: number;
  /** Bytes of a request's line and headers. @default 65536 */
  maxHeaderBytes: number;
  /** Clients connected at once. One more gets the place of an idle one, or is told so and closed. @default 4096 */
  maxConnections: number;
}

/** What makes a front door. */
export interface FrontDoorOptions extends Partial<FrontDoorLimits> {
  /** Address to listen at. */
  host: string;
  /** Port to listen at; 0 picks a free one. */
  port: number;
  /** How streams to the server are opened. */
  openStream: OpenStream;
  /** Where time comes from. */
  clock: Clock;
  /** Where to write. */
  log: FrontDoorLog;
  /** Whom to serve. @default everybody who connects */
  credentials?: Credentials | undefined;
  /** After how many milliseconds a client may try again, where that is known. @default never known */
  retryAfterMs?(error: SallyportError): number | undefined;
  /** Hears of every request that was not served. @default nobody does */
  onRefused?(request: RefusedRequest): void;
}

/** The values used where nothing else is said. */
export const DEFAULT_FRONT_DOOR_OPTIONS: Readonly<FrontDoorLimits> = {
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
  /** Clients that are connected. */
  readonly connectionCount: number;
  /**
   * Stops accepting and closes what is idle; requests and tunnels that are under way may go on for
   * `timeoutMs` milliseconds, then they are cut. Resolves when no connection is left.
   */
  drain(timeoutMs: number): Promise<void>;
  /** Stops accepting and cuts every connection. */
  close(): Promise<void>;
}

/** Milliseconds for a client that was refused because there are too many: the next ones need its descriptor. */
const CROWDED_LINGER = 250;

/**
 * Opens the agent's local proxy port: HTTP and SOCKS5 on one port, told apart by the first byte.
 * @throws SallyportError when it cannot listen there, for example because the port is taken.
 */
export async function openFrontDoor(given: FrontDoorOptions): Promise<FrontDoor> {
  const options = { ...DEFAULT_FRONT_DOOR_OPTIONS, ...given };
  const { clock, maxConnections, log } = options;
  const connections = new Connections({
    clock,
    maxConnections,
    onEvicted: ({ remoteAddress: remote }) => log.debug("Closed a client for another one", { remote }),
  });
  const context = contextOf(options);
  const http = new HttpDoor(context, connections, options);
  const accept = (socket: Socket) => {
    connections.add(socket);
    const { count } = connections;
    if (!connections.serve(socket)) return turnAway(context, socket, { count, maxConnections });
    withFirstByte(socket, options, (bytes) => {
      if (bytes[0] !== SOCKS5) return http.accept(socket, bytes);
      // Idle until the handshake is complete: one that stops has to give way.
      handleSocks5(context, socket, bytes, () => connections.markBusy(socket));
    });
  };
  const acceptor = await Acceptor.open({
    host: options.host,
    port: options.port,
    allowHalfOpen: true,
    onConnection: accept,
    onCrowded(socket, error) {
      if (connections.makeWay(socket)) return accept(socket);
      connections.add(socket);
      context.refused({ protocol: "tcp", target: "", error });
      closeGently(socket, options.clock, encodeRefusal(refusalOf(error)), CROWDED_LINGER);
    },
    onTrouble: ({ message, code }) => options.log.warn("Cannot serve every client", { message, code }),
  });
  return {
    address: acceptor.address,
    get connectionCount() {
      return connections.count;
    },
    async drain(timeoutMs) {
      acceptor.close();
      connections.drain();
      const cancel = options.clock.after(timeoutMs, () => connections.destroy());
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

function contextOf(options: FrontDoorOptions & FrontDoorLimits): FrontDoorContext {
  const { openStream, clock, log, idleTimeoutMs, headTimeoutMs, credentials } = options;
  return {
    openStream,
    clock,
    log,
    idleTimeoutMs,
    headTimeoutMs,
    authorize: credentials && createAuthorize(credentials),
    retryAfterMs: (error) => options.retryAfterMs?.(error),
    refused(request) {
      const { protocol, target, error } = request;
      log.info("Refused a request", { protocol, target, code: error.code, message: error.message });
      options.onRefused?.(request);
    },
  };
}
