import { hostPort } from "../net/host_port.ts";
import { type IncomingMessage, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { SallyportError } from "../errors.ts";
import { connectTlsProxy, fromProxyError } from "./tls_proxy.ts";
import { ProxyRefusal } from "./proxy_refusal.ts";
import { addressOf, onlyBy, type UpstreamProxy } from "./upstream_proxy.ts";

/** What is asked of a proxy. */
export interface ProxyTunnel {
  readonly proxy: UpstreamProxy;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Milliseconds for all of it. */
  readonly timeoutMs: number;
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** A proxy's answer may take no longer than what is left of the time for all of it. */
interface Asking {
  readonly tunnel: ProxyTunnel;
  /** A connection to an `https:` proxy; undefined where the request makes its own. */
  readonly secure: Socket | undefined;
  readonly leftMs: number;
  readonly doing: string;
}

/**
 * Has a proxy connect to somebody (CONNECT, RFC 9110 section 9.3.6). It answers with anything but a connection in
 * many ways; each is told apart, with what to do.
 *
 * @returns The connection, from which nothing was read yet; whoever takes it listens for its errors.
 * @throws {SallyportError} `tunnel_down` with the reason, `cancelled` when the signal aborts.
 */
export async function connectThrough(tunnel: ProxyTunnel): Promise<Socket> {
  const { proxy, host, port, timeoutMs, signal } = tunnel;
  const authority = hostPort(host, port);
  const doing = `reach ${authority} through the proxy ${proxy.url.host}`;
  const start = performance.now();
  const secure = proxy.url.protocol === "https:"
    ? await connectTlsProxy({ proxy, timeoutMs, signal, doing })
    : undefined;
  const leftMs = Math.max(1, timeoutMs - (performance.now() - start));
  try {
    return await askForTunnel({ tunnel, secure, leftMs, doing }, authority);
  } catch (error) {
    secure?.destroy();
    throw error;
  }
}

function askForTunnel({ tunnel, secure, leftMs, doing }: Asking, authority: string): Promise<Socket> {
  const { proxy: { url, authorization }, timeoutMs, signal } = tunnel;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const request = httpRequest({
    ...(secure === undefined ? { ...addressOf(url), agent: false } : onlyBy(secure)),
    method: "CONNECT",
    path: authority,
    headers: {
      host: authority,
      ...(authorization === undefined ? {} : { "proxy-authorization": authorization }),
    },
  });
  const fail = (why: string, code: "tunnel_down" | "cancelled" = "tunnel_down", cause?: ProxyRefusal) => {
    settle();
    reject(new SallyportError(code, `Cannot ${doing}: ${why}`, { cause }));
    request.destroy();
  };
  const refused = (response: IncomingMessage) =>
    fail(
      refusalOf(response, authorization !== undefined),
      "tunnel_down",
      new ProxyRefusal(response.statusCode ?? 0),
    );
  const timer = setTimeout(() => fail(`it did not answer in ${timeoutMs / 1000} s`), leftMs);
  const abort = () => fail("nobody wants it any more", "cancelled");
  const settle = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  };
  signal?.addEventListener("abort", abort);
  // Stays for good: an error after the end would end the process.
  request.on("error", (error) => {
    settle();
    reject(fromProxyError(error, doing));
  });
  request.on("connect", (response: IncomingMessage, socket: Socket, early: Uint8Array) => {
    settle();
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300 && !hasPage(response, early)) return resolve(socket);
    socket.on("error", () => {});
    socket.destroy();
    refused(response);
  });
  request.on("response", refused);
  if (signal?.aborted) abort();
  else request.end();
  return promise;
}

/** Says what a proxy's refusal means, and what to do. */
function refusalOf(
  { statusCode = 0, statusMessage = "", headers }: IncomingMessage,
  hasCredentials: boolean,
): string {
  // Some say 401 once they have looked at a password.
  if (statusCode === 401 && hasCredentials) {
    return "it does not accept the user and password that it was given (401)";
  }
  if (statusCode === 407) {
    const schemes = [headers["proxy-authenticate"] ?? []].flat().join(", ") || "nothing named";
    if (!/\bbasic\b/i.test(schemes)) {
      return `it wants authentication that is not supported (407, ${schemes}); only Basic is`;
    }
    return hasCredentials
      ? "it does not accept the user and password that it was given (407)"
      : "it wants a user and a password (407): write them into upstream_proxy, as http://user:password@host:port";
  }
  const page = isHtml(headers) ? " and a page, which a browser would show" : "";
  if (statusCode === 403) {
    return `it forbids this (403${page}): ask whoever runs it to allow it; often port 443 alone is allowed`;
  }
  if (statusCode >= 500) return `it cannot reach it either (${statusCode} ${statusMessage})`;
  return `it answers ${statusCode} ${statusMessage}${page}, and no connection; it may want somebody to log in first`;
}

function isHtml(headers: IncomingMessage["headers"]): boolean {
  return /text\/html/i.test(headers["content-type"] ?? "");
}

/**
 * A portal answers with a page whatever it is asked. A connection has no content (RFC 9110 section 9.3.6), and what
 * comes early would be the target's, while no server of TLS speaks first.
 */
function hasPage({ headers }: IncomingMessage, early: Uint8Array): boolean {
  const { "content-length": length = "0", "transfer-encoding": coding } = headers;
  return early.byteLength > 0 || isHtml(headers) && (length !== "0" || coding !== undefined);
}
