import { hostPort } from "../net/host_port.ts";
import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { type ErrorCode, SallyportError } from "../errors.ts";
import { fromConnectionError, isAboutPeerCertificate } from "./connection_error.ts";
import { explainRejection } from "./explain_rejection.ts";
import type { Identity } from "./identity.ts";
import { judgePeer, type Peer } from "./peer.ts";
import { connectThrough } from "./proxy_tunnel.ts";
import type { UpstreamProxy } from "./upstream_proxy.ts";

/** What makes a connection to a server. */
export interface DialOptions {
  /** Address or name that is dialled. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** Name or address that the server's certificate has to carry, whatever is dialled. */
  readonly serverName: string;
  /** Name that is sent in the clear; of an address nothing is sent (RFC 6066 section 3). */
  readonly sni: string;
  /** Who we are, and whom we believe. */
  readonly identity: Identity;
  /** Milliseconds for the name's lookup, TCP and TLS together; with a proxy, for each of its halves. */
  readonly connectTimeoutMs: number;
  /** The proxy that has to be gone through. @default {none} */
  readonly via?: UpstreamProxy | undefined;
  /** A connection to it that is there already, on which nothing was sent or read. @default {one is made} */
  readonly connection?: Socket | undefined;
  /** Protocols that are offered. @default {["http/1.1"]} */
  readonly alpn?: readonly string[];
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

/** A connection whose peer was let in. */
export interface DialledConnection {
  /** Not yet read; whoever takes it listens for its errors. */
  readonly socket: TLSSocket;
  /** Who answered. */
  readonly peer: Peer;
}

/**
 * Connects to a server with mutual TLS 1.3 (SPEC.md 1.1, 1.2). Only the private CA is believed: of `Deno.connectTls`
 * the public ones are believed too.
 *
 * @throws {SallyportError} `tunnel_down` when it cannot be reached or is no TLS server, `peer_rejected` when its
 * certificate is not what it has to be, `cancelled` when `signal` was aborted.
 */
export async function dialTls(options: DialOptions): Promise<DialledConnection> {
  const { host, port, via: proxy, signal, connectTimeoutMs: timeoutMs, connection } = options;
  const how = proxy === undefined ? "" : ` through the proxy ${proxy.url.host}`;
  const doing = `connect to ${hostPort(host, port)}${how}`;
  const through = connection ?? (proxy && await connectThrough({ proxy, host, port, timeoutMs, signal }));
  try {
    return await handshake(options, doing, through);
  } catch (error) {
    if (!isAboutPeerCertificate(error)) throw fromConnectionError(error, doing);
    throw await explainRejection({ ...options, error, doing });
  }
}

/** Rejects with what the socket threw, or with a `SallyportError`. */
function handshake(options: DialOptions, doing: string, through?: Socket): Promise<DialledConnection> {
  const { identity, serverName, signal, connectTimeoutMs } = options;
  const { promise, resolve, reject } = Promise.withResolvers<DialledConnection>();
  if (signal?.aborted) {
    through?.destroy();
    return Promise.reject(cancelled(doing));
  }
  const socket = connectSocket(options, through);
  const fail = (reason: unknown) => {
    settle();
    socket.destroy();
    reject(reason);
  };
  const late = () => fail(lost(doing, `no answer in ${connectTimeoutMs} ms`, "target_timeout"));
  const abort = () => fail(cancelled(doing));
  const timer = setTimeout(late, connectTimeoutMs);
  const settle = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  };
  signal?.addEventListener("abort", abort);
  // Stays for good: an error that comes after the end would end the process.
  socket.on("error", fail);
  socket.once("close", () => fail(lost(doing, "it was closed at once", "target_reset")));
  socket.once("secureConnect", () => {
    try {
      const peer = judgePeer(socket, {
        authorities: identity.authorities,
        revocation: identity.revocation,
        usage: "serverAuth",
        serverName,
      });
      socket.setNoDelay(true);
      settle();
      resolve({ socket, peer });
    } catch (error) {
      fail(error);
    }
  });
  return promise;
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
    // The name that counts is not the one that was sent, and `judgePeer` looks for it itself: the runtime would
    // take a common name for it, or one alternative name that is written like two.
    checkServerIdentity: () => undefined,
  });
}

/** @param reason What lies beneath it, as for what the operating system reports. */
function lost(doing: string, why: string, reason: ErrorCode): SallyportError {
  return new SallyportError("tunnel_down", `Cannot ${doing}: ${why}`, {
    cause: new SallyportError(reason, why),
  });
}

function cancelled(doing: string): SallyportError {
  return new SallyportError("cancelled", `Cannot ${doing}: nobody wants it any more`);
}
