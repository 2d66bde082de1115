/**
 * Connecting to the server with mutual TLS 1.3 (SPEC.md 1.1, 1.2).
 *
 * @example Connect over a route of one's own
 * ```ts
 * import { connect } from "node:net";
 * import type { Identity } from "../pki/identity/identity.ts";
 * import { type DialledConnection, type DialOptions, dialTls, type Route, type RouteTarget } from "./dial.ts";
 *
 * export async function dial(identity: Identity): Promise<DialledConnection> {
 *   const via: Route = {
 *     name: "a local forwarder",
 *     connect: ({ port }: RouteTarget) => Promise.resolve(connect({ host: "127.0.0.1", port })),
 *   };
 *   const names = { serverName: "sallyport-server", sni: "sallyport-server" };
 *   const options: DialOptions = { host: "192.0.2.1", port: 8443, ...names, identity, connectTimeoutMs: 10_000, via };
 *   return await dialTls(options);
 * }
 * ```
 * @module
 */
import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { type ErrorCode, SallyportError } from "../errors.ts";
import { fromConnectionError, isAboutPeerCertificate } from "../net/connection_error.ts";
import { promiseWithDeadline } from "../net/deadline.ts";
import { hostPort } from "../net/host_port.ts";
import type { Identity } from "../pki/identity/identity.ts";
import { type Peer, verifyPeer } from "../pki/peer_verification.ts";
import { explainCertificateError } from "./explain_certificate_error.ts";

/** The target of a route, and the time limit for connecting to it. */
export interface RouteTarget {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A route to a server other than a direct TCP connection. */
export interface Route {
  /** Its name in messages: "the proxy proxy.example.org:3128". */
  readonly name: string;
  /** Makes a connection on which nothing has been sent or read. */
  connect(target: RouteTarget): Promise<Socket>;
}

/** Options of {@linkcode dialTls}. */
export interface DialOptions {
  /** Address or name to connect to. */
  readonly host: string;
  readonly port: number;
  /** Name or address that the server's certificate has to carry, whatever `host` is. */
  readonly serverName: string;
  /** Server name indication, sent in clear text; an address is not sent (RFC 6066 section 3). */
  readonly sni: string;
  /** Our certificate, and the CA that we trust. */
  readonly identity: Identity;
  /** Milliseconds for name lookup, TCP and TLS together; with a proxy, for the proxy and for TLS each. */
  readonly connectTimeoutMs: number;
  /** The route to the server. @default {a direct TCP connection} */
  readonly via?: Route | undefined;
  /** An existing connection on which nothing has been sent or read. @default {a new one} */
  readonly connection?: Socket | undefined;
  /** ALPN protocols to offer. @default {["http/1.1"]} */
  readonly alpn?: readonly string[];
  /** Cancels the attempt. */
  readonly signal?: AbortSignal;
}

/** A connection with a verified peer. */
export interface DialledConnection {
  /** Not yet read. The caller has to listen for its errors. */
  readonly socket: TLSSocket;
  readonly peer: Peer;
}

/**
 * Connects to a server with mutual TLS 1.3. Only the private CA is trusted; `Deno.connectTls` would trust public CAs too.
 *
 * @throws {SallyportError} `tunnel_down` when it cannot be reached or is not a TLS server, `peer_rejected` when its
 * certificate is invalid, `cancelled` when `signal` aborts.
 */
export async function dialTls(options: DialOptions): Promise<DialledConnection> {
  const { host, port, via, signal, connectTimeoutMs: timeoutMs, connection } = options;
  const how = via === undefined ? "" : ` through ${via.name}`;
  const doing = `connect to ${hostPort(host, port)}${how}`;
  const viaRoute = () => via?.connect({ host, port, timeoutMs, signal });
  const through = connection ?? await viaRoute();
  try {
    return await handshake(options, doing, through);
  } catch (error) {
    if (!isAboutPeerCertificate(error)) throw fromConnectionError(error, doing);
    const reconnect = async () => via === undefined ? { host, port } : { socket: (await viaRoute())! };
    throw await explainCertificateError({ ...options, error, doing, reconnect });
  }
}

/** Rejects with the socket's own error, or with a `SallyportError`. */
function handshake(options: DialOptions, doing: string, through?: Socket): Promise<DialledConnection> {
  const { identity: { authorities, revocation }, serverName, signal, connectTimeoutMs: timeoutMs } = options;
  if (signal?.aborted) through?.destroy();
  const late = () => connectionLost(doing, `no answer in ${timeoutMs} ms`, "target_timeout");
  return promiseWithDeadline<DialledConnection>({ doing, timeoutMs, signal, late }, (resolve, reject) => {
    const socket = connectSocket(options, through);
    // Never removed: an error without a listener would end the process.
    socket.on("error", reject);
    socket.once("close", () => reject(connectionLost(doing, "it was closed immediately", "target_reset")));
    socket.once("secureConnect", () => {
      try {
        const peer = verifyPeer(socket, { authorities, revocation, usage: "serverAuth", serverName });
        socket.setNoDelay(true);
        resolve({ socket, peer });
      } catch (error) {
        reject(error);
      }
    });
    return () => socket.destroy();
  });
}

function connectSocket(
  { host, port, sni, alpn = ["http/1.1"], identity }: DialOptions,
  through: Socket | undefined,
): TLSSocket {
  return connect({
    ...(through === undefined ? { host, port } : { socket: through }),
    servername: isIP(sni) === 0 ? sni : "",
    cert: identity.cert,
    key: identity.key,
    ca: identity.ca,
    minVersion: "TLSv1.3",
    ALPNProtocols: [...alpn],
    // `verifyPeer` checks `serverName`, which may differ from the SNI. The runtime would accept a common name, or an
    // alternative name written to look like two.
    checkServerIdentity: () => undefined,
  });
}

/** @param code Code of the cause, as for errors of the operating system. */
function connectionLost(doing: string, reason: string, code: ErrorCode): SallyportError {
  return new SallyportError("tunnel_down", `Cannot ${doing}: ${reason}`, {
    cause: new SallyportError(code, reason),
  });
}
