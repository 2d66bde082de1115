import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import { isAboutPeerCertificate } from "../../shared/net/connection_error.ts";
import { withDeadline } from "../../shared/net/deadline.ts";
import { connectThrough } from "./proxy_tunnel.ts";
import { connectTlsProxy } from "./tls_proxy.ts";
import { WebAgent } from "../../shared/tls/web_agent.ts";
import { addressOf, overConnection, type UpstreamProxy } from "./upstream_proxy.ts";

/** Interim responses at most; a server that sends more might send nothing else until the deadline. */
const MAX_INTERIM = 32;

/** A request to a service of the public web, or of this machine. */
export interface WebRequest {
  /** `https:` trusts the public root CAs; `http:` is for this machine. */
  readonly url: URL;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for the whole exchange, including the body of the response. */
  readonly timeoutMs: number;
  /** Bytes of the response body at most. */
  readonly maxBytes: number;
  /** Whether a longer body is truncated instead of refused. @default false */
  readonly mayBeCut?: boolean;
  /** Cancels the request. */
  readonly signal?: AbortSignal;
  /**
   * The proxy to use: with CONNECT for `https:`, and with a request in absolute form (RFC 9112 section 3.2.2) for
   * `http:`. @default {none}
   */
  readonly via?: UpstreamProxy | undefined;
}

/** The response, with any status. */
export interface WebAnswer {
  readonly status: number;
  /** Names in lower case; of a repeated field, the first or all joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/**
 * Sends a request without a body and reads the response. It ignores `HTTPS_PROXY` and similar variables, unlike `fetch`:
 * on a machine that uses the agent they name the agent itself.
 *
 * @throws {SallyportError} `tunnel_down` when there is no response in time, or one that is too long;
 * `cancelled` when the signal aborts.
 */
export async function webRequest(init: WebRequest): Promise<WebAnswer> {
  const { url, timeoutMs, signal } = init;
  const doing = `ask ${url.origin}`;
  const late = () =>
    new SallyportError("tunnel_down", `Cannot ${doing}: no whole answer in ${timeoutMs / 1000} s`);
  return await withDeadline({ doing, timeoutMs, signal, late }, async (ended) => {
    try {
      return await exchange(init, ended, await tunnelOf(init, ended));
    } catch (error) {
      throw new SallyportError("tunnel_down", `Cannot ${doing}: ${reasonOf(error)}`, { cause: error });
    }
  });
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!isAboutPeerCertificate(error)) return message;
  return `its certificate is not that of a public site (${message}); something on the path may intercept TLS, such as a ` +
    "corporate proxy or a security product: ask for an exception for this address";
}

/** A connection through the proxy, or to a TLS proxy; undefined when the request makes its own. */
async function tunnelOf(
  { url, via: proxy, timeoutMs }: WebRequest,
  signal: AbortSignal,
): Promise<Socket | undefined> {
  if (proxy === undefined) return undefined;
  if (url.protocol === "http:") {
    const doing = `reach ${url.host} through the proxy ${proxy.url.host}`;
    return proxy.url.protocol === "https:"
      ? await connectTlsProxy({ proxy, timeoutMs, signal, doing })
      : undefined;
  }
  return await connectThrough({ proxy, ...addressOf(url), timeoutMs, signal });
}

function exchange(init: WebRequest, signal: AbortSignal, through: Socket | undefined): Promise<WebAnswer> {
  const { url, method, headers = {} } = init;
  const { promise, resolve, reject } = Promise.withResolvers<WebAnswer>();
  // A connection of its own, closed after the response: the next call is minutes away.
  const options = { method, headers: { ...headers } };
  const request = isInAbsoluteForm(init)
    ? throughProxy(init.via!, url, options, through)
    : url.protocol === "https:"
    ? httpsRequest(url, { ...options, agent: new WebAgent(), ...(through && { socket: through }) })
    : httpRequest(url, { ...options, agent: false });
  const abort = () => request.destroy(new Error("aborted"));
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  request.on("error", reject);
  let interim = 0;
  request.on("information", () => {
    if (++interim > MAX_INTERIM) {
      request.destroy(new Error(`it sent more than ${MAX_INTERIM} interim answers`));
    }
  });
  request.on("response", (response) => {
    // Errors after the response head are emitted by the response only.
    response.on("error", reject);
    readAll(response, init).then(
      (body) => resolve({ status: response.statusCode ?? 0, headers: joined(response), body }),
      reject,
    );
  });
  request.end();
  return promise.finally(() => {
    signal.removeEventListener("abort", abort);
    request.destroy();
    through?.destroy();
  });
}

function isInAbsoluteForm({ url, via }: WebRequest): boolean {
  return via !== undefined && url.protocol === "http:";
}

function throughProxy(
  { url: proxy, authorization }: UpstreamProxy,
  url: URL,
  options: { readonly method: string; readonly headers: Record<string, string> },
  through: Socket | undefined,
): ClientRequest {
  const headers = {
    ...options.headers,
    host: url.host,
    ...(authorization === undefined ? {} : { "proxy-authorization": authorization }),
  };
  const to = through === undefined ? { ...addressOf(proxy), agent: false } : overConnection(through);
  return httpRequest({ ...options, ...to, headers, path: url.origin + url.pathname + url.search });
}

async function readAll(
  response: IncomingMessage,
  { maxBytes, mayBeCut = false }: Pick<WebRequest, "maxBytes" | "mayBeCut">,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const bytes of response as AsyncIterable<Uint8Array>) {
    length += bytes.byteLength;
    if (length > maxBytes && mayBeCut) return text;
    if (length > maxBytes) throw new Error(`its answer is longer than ${maxBytes} bytes`);
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}

function joined({ headers }: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}
