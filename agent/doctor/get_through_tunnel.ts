import { addressOf } from "../upstream/upstream_proxy.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import { sleep, withDeadline } from "../../shared/net/deadline.ts";
import type { StreamMessage } from "../../shared/protocol/messages.ts";
import { systemClock } from "../../shared/system_clock.ts";

/** A request through the tunnel. */
export interface TunnelGet {
  /** `http:`. */
  readonly url: URL;
  /** Milliseconds to wait for the response's head. */
  readonly timeoutMs: number;
  /** How much of the body to read: up to so many bytes, or for so many milliseconds after the head. */
  readonly sample: { readonly bytes: number; readonly ms: number };
}

/** The response. */
export interface TunnelAnswer {
  readonly status: number;
  /** Milliseconds from the request to the response's head. */
  readonly waitedMs: number;
  /** Bytes of the body, and the milliseconds after the head in which they arrived. */
  readonly bytes: number;
  readonly bodyMs: number;
}

/**
 * Fetches a page over a session, as the agent does for its clients.
 * @throws SallyportError With the server's reason, or `target_timeout`.
 */
export async function getThroughTunnel(session: Session, get: TunnelGet): Promise<TunnelAnswer> {
  const { url, timeoutMs, sample } = get;
  const doing = `fetch a page from ${url.host}`;
  const began = performance.now();
  const head = Promise.withResolvers<{ status: number; at: number }>();
  // Aborts when enough was read or the stream is over.
  const reading = new AbortController();
  let bytes = 0;
  let failure: SallyportError | undefined;
  const stream = session.open(openingOf(url), undefined, { end: true });
  stream.listen({
    message(message) {
      const status = statusOf(message, head.reject);
      if (status !== undefined) head.resolve({ status, at: performance.now() });
    },
    data({ byteLength }) {
      bytes += byteLength;
      stream.consumed(byteLength);
      if (bytes >= sample.bytes) reading.abort();
    },
    closed(error) {
      failure = error;
      head.reject(error ?? new SallyportError("internal", `Cannot ${doing}: no answer`));
      reading.abort();
    },
  });
  stream.resume();
  try {
    const { status, at } = await withDeadline({ doing, timeoutMs }, () => head.promise);
    await sleep(systemClock, sample.ms, reading.signal).catch(() => {});
    if (failure !== undefined) throw failure;
    return { status, waitedMs: at - began, bytes, bodyMs: performance.now() - at };
  } finally {
    stream.reset("cancelled", "the rest is not needed");
  }
}

function openingOf(url: URL) {
  const headers = ["Host", url.host, "User-Agent", "sallyport-doctor", "Accept", "*/*"];
  const path = url.pathname + url.search;
  return { type: "http_request" as const, payload: { method: "GET", ...addressOf(url), path, headers } };
}

/** The status of a final response; undefined for an interim one. */
function statusOf(message: StreamMessage, reject: (reason: SallyportError) => void): number | undefined {
  if (message.type !== "http_response") return undefined;
  const { status, error } = message.payload;
  if (error !== undefined) reject(SallyportError.fromWire(error.code, error.message));
  return status === undefined || status < 200 ? undefined : status;
}
