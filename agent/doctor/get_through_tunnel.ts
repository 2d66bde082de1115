import { addressOf } from "../../shared/tls/upstream_proxy.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Session } from "../../shared/mux/session.ts";
import type { StreamMessage } from "../../shared/protocol/messages.ts";

/** What is asked for. */
export interface TunnelGet {
  /** `http:`. */
  readonly url: URL;
  /** Milliseconds until the answer's head. */
  readonly timeoutMs: number;
  /** How much of the body is enough: after so many bytes, or milliseconds from the head on, the rest is left. */
  readonly enough: { readonly bytes: number; readonly ms: number };
}

/** What came. */
export interface TunnelAnswer {
  readonly status: number;
  /** Milliseconds from the request to the answer's head. */
  readonly waitedMs: number;
  /** Bytes of the body, and the milliseconds from the head on in which they came. */
  readonly bytes: number;
  readonly bodyMs: number;
}

/**
 * Asks for a page over a session, as the agent does for its clients.
 * @throws SallyportError With the reason that the server gave, or `target_timeout`.
 */
export function getThroughTunnel(session: Session, get: TunnelGet): Promise<TunnelAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<TunnelAnswer>();
  const began = performance.now();
  const stream = session.open(openingOf(get.url), undefined, { end: true });
  let head: { status: number; at: number } | undefined;
  let bytes = 0;
  let timer = setTimeout(() => {
    reject(
      new SallyportError(
        "target_timeout",
        `Cannot get a page of ${get.url.host}: no answer in ${get.timeoutMs} ms`,
      ),
    );
    stream.reset("cancelled", "it takes too long");
  }, get.timeoutMs);
  const settle = () => {
    const { status, at } = head!;
    resolve({ status, waitedMs: at - began, bytes, bodyMs: performance.now() - at });
  };
  const leave = () => {
    settle();
    stream.reset("cancelled", "it was enough");
  };
  stream.listen({
    message(message) {
      const status = statusOf(message, reject);
      if (status === undefined) return;
      head = { status, at: performance.now() };
      clearTimeout(timer);
      timer = setTimeout(leave, get.enough.ms);
    },
    data({ byteLength }) {
      bytes += byteLength;
      stream.consumed(byteLength);
      if (bytes >= get.enough.bytes) leave();
    },
    closed(error) {
      if (error === undefined && head !== undefined) settle();
      else {reject(
          error ??
            new SallyportError("internal", `Cannot get a page of ${get.url.host}: there was no answer`),
        );}
    },
  });
  stream.resume();
  return promise.finally(() => clearTimeout(timer));
}

function openingOf(url: URL) {
  const headers = ["Host", url.host, "User-Agent", "sallyport-doctor", "Accept", "*/*"];
  const path = url.pathname + url.search;
  return { type: "http_request" as const, payload: { method: "GET", ...addressOf(url), path, headers } };
}

/** The status of a final answer; an interim one has none that counts. */
function statusOf(message: StreamMessage, reject: (reason: SallyportError) => void): number | undefined {
  if (message.type !== "http_response") return undefined;
  const { status, error } = message.payload;
  if (error !== undefined) reject(SallyportError.fromWire(error.code, error.message));
  return status === undefined || status < 200 ? undefined : status;
}
