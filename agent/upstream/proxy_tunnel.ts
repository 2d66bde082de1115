import { hostPort } from "../../shared/net/host_port.ts";
import { type IncomingMessage, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { truncate } from "../../shared/text/sanitize.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Route } from "../../shared/tls/dial.ts";
import { promiseWithDeadline } from "../../shared/net/deadline.ts";
import { fromProxyError, ProxyRefusal } from "./proxy_refusal.ts";
import { connectTlsProxy } from "./tls_proxy.ts";
import { addressOf, overConnection, type UpstreamProxy } from "./upstream_proxy.ts";

/** Options of {@linkcode connectThrough}. */
export interface ProxyTunnel {
  readonly proxy: UpstreamProxy;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Milliseconds for connecting to the proxy and for its response together. */
  readonly timeoutMs: number;
  /** Cancels the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** One CONNECT request, with the time that is left for it. */
interface ConnectRequest {
  readonly tunnel: ProxyTunnel;
  /** A connection to an `https:` proxy; undefined when the request makes its own. */
  readonly secure: Socket | undefined;
  readonly leftMs: number;
  readonly doing: string;
}

/**
 * Connects to a host through a proxy (CONNECT, RFC 9110 section 9.3.6). Proxies refuse in many ways; the error tells
 * which, and what to do.
 *
 * @returns The connection, not yet read. The caller has to listen for its errors.
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
    return await requestTunnel({ tunnel, secure, leftMs, doing }, authority);
  } catch (error) {
    secure?.destroy();
    throw error;
  }
}

/** Returns the route through a proxy, for `dialTls`; undefined without a proxy. */
export function routeThrough(proxy: UpstreamProxy | undefined): Route | undefined {
  return proxy && {
    name: `the proxy ${proxy.url.host}`,
    connect: (target) => connectThrough({ ...target, proxy }),
  };
}

function requestTunnel(
  { tunnel, secure, leftMs, doing }: ConnectRequest,
  authority: string,
): Promise<Socket> {
  const { proxy: { url, authorization }, timeoutMs, signal } = tunnel;
  const fail = (reason: string, cause?: ProxyRefusal) =>
    new SallyportError("tunnel_down", `Cannot ${doing}: ${reason}`, { cause });
  const late = () => fail(`it did not answer in ${timeoutMs / 1000} s`);
  const refused = (response: IncomingMessage) =>
    fail(
      describeRefusal(response, authorization !== undefined),
      new ProxyRefusal(response.statusCode ?? 0),
    );
  return promiseWithDeadline<Socket>({ doing, timeoutMs: leftMs, signal, late }, (resolve, reject) => {
    const request = httpRequest({
      ...(secure === undefined ? { ...addressOf(url), agent: false } : overConnection(secure)),
      method: "CONNECT",
      path: authority,
      headers: {
        host: authority,
        ...(authorization === undefined ? {} : { "proxy-authorization": authorization }),
      },
    });
    // Never removed: an error without a listener would end the process.
    request.on("error", (error) => reject(fromProxyError(error, doing)));
    request.on("connect", (response: IncomingMessage, socket: Socket, early: Uint8Array) => {
      // Never removed either: node:http has removed its own listener.
      socket.on("error", () => {});
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 300 && !hasPage(response, early)) return resolve(socket);
      socket.destroy();
      reject(refused(response));
    });
    request.on("response", (response: IncomingMessage) => reject(refused(response)));
    request.end();
    return () => request.destroy();
  });
}

/** Explains a proxy's refusal, and what to do. */
function describeRefusal(
  { statusCode = 0, statusMessage = "", headers }: IncomingMessage,
  hasCredentials: boolean,
): string {
  const answer = `${statusCode} ${truncate(statusMessage)}`;
  // Some respond with 401 after checking a password.
  if (statusCode === 401 && hasCredentials) {
    return "it does not accept the user and password (401)";
  }
  if (statusCode === 407) {
    const schemes = [headers["proxy-authenticate"] ?? []].flat().join(", ") || "nothing named";
    if (!/\bbasic\b/i.test(schemes)) {
      return `it requires authentication that is not supported (407, ${truncate(schemes)}); only Basic is`;
    }
    return hasCredentials
      ? "it does not accept the user and password (407)"
      : "it requires a user and a password (407): write them into upstream_proxy, as http://user:password@host:port";
  }
  const page = isHtml(headers) ? " and a page, which a browser would show" : "";
  if (statusCode === 403) {
    return `it forbids this (403${page}): ask its administrator to allow it; often port 443 alone is allowed`;
  }
  if (statusCode >= 500) return `it cannot reach it either (${answer})`;
  return `it answers ${answer}${page}, and no connection; it may want you to log in first`;
}

function isHtml(headers: IncomingMessage["headers"]): boolean {
  return /text\/html/i.test(headers["content-type"] ?? "");
}

/**
 * A captive portal answers every request with a page. A successful CONNECT has no content (RFC 9110 section 9.3.6), and
 * early bytes would be the target's, but a TLS server never sends first.
 */
function hasPage({ headers }: IncomingMessage, early: Uint8Array): boolean {
  const { "content-length": length = "0", "transfer-encoding": coding } = headers;
  return early.byteLength > 0 || isHtml(headers) && (length !== "0" || coding !== undefined);
}
