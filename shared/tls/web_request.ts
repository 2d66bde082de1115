import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { SallyportError } from "../errors.ts";
import { isAboutPeerCertificate } from "./connection_error.ts";
import { connectThrough } from "./proxy_tunnel.ts";
import { connectTlsProxy } from "./tls_proxy.ts";
import { WebAgent } from "./web_agent.ts";
import { addressOf, onlyBy, type UpstreamProxy } from "./upstream_proxy.ts";

/** A request to a service of the public web, or of this machine. */
export interface WebRequest {
  /** `https:` believes the public roots; `http:` is for this machine. */
  readonly url: URL;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for all of it, the answer's body included. */
  readonly timeoutMs: number;
  /** Bytes of an answer's body that are taken at the most. */
  readonly maxBytes: number;
  /** Whether an answer that is longer is good all the same, without its rest. @default false */
  readonly mayBeCut?: boolean;
  /** Ends it. */
  readonly signal?: AbortSignal;
  /**
   * The proxy that has to be gone through: by CONNECT for `https:`, and for `http:` by a request in absolute form
   * (RFC 9112 section 3.2.2), as every proxy knows it. @default {none}
   */
  readonly via?: UpstreamProxy | undefined;
}

/** The answer, whatever its status. */
export interface WebAnswer {
  readonly status: number;
  /** Names in lower case; of a field that came several times, the first or all joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/**
 * Sends a request without a body and reads the answer. It does not look at `HTTPS_PROXY` and its like, as `fetch`
 * does: on a machine that uses the agent they name the agent itself.
 *
 * @throws {SallyportError} `tunnel_down` when there is no answer, in time or at all, or one that is too long;
 * `cancelled` when the signal aborts.
 */
export async function webRequest(init: WebRequest): Promise<WebAnswer> {
  const late = AbortSignal.timeout(init.timeoutMs);
  const signal = AbortSignal.any([late, ...init.signal === undefined ? [] : [init.signal]]);
  const doing = `ask ${init.url.origin}`;
  try {
    return await exchange(init, signal, await tunnelOf(init, signal));
  } catch (error) {
    if (init.signal?.aborted) {
      throw new SallyportError("cancelled", `Cannot ${doing}: nobody wants it any more`);
    }
    const reason = late.aborted ? `no whole answer in ${init.timeoutMs / 1000} s` : reasonOf(error);
    throw new SallyportError("tunnel_down", `Cannot ${doing}: ${reason}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!isAboutPeerCertificate(error)) return message;
  return `its certificate is not that of a public site (${message}); something on the path may open TLS, such as a ` +
    "corporate proxy or a security product: ask for an exception for this address";
}

/** A connection through the proxy, or to one that speaks TLS; undefined where the request makes its own. */
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
  // A connection of its own, closed after the answer: the next call is minutes away.
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
  request.on("response", (response) => {
    // Errors after the answer's head come from the response alone.
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
  const to = through === undefined ? { ...addressOf(proxy), agent: false } : onlyBy(through);
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
