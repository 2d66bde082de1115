import { proxyClient } from "../../tests/support/clients/proxy_client.ts";
import { sha256, testBytes } from "../../tests/support/test_bytes.ts";
import { type Job, type JobContext, RefusedError, requireSame } from "./job.ts";

/** A client that sends requests through the proxy, on one kept connection. */
function proxied({ proxyPort }: JobContext): Deno.HttpClient {
  return proxyClient(`http://127.0.0.1:${proxyPort}`);
}

/** GETs the sample page a few times on one kept connection. */
export const get: Job = async (context, random, signal) => {
  using client = proxied(context);
  let bytes = 0;
  let first: string | undefined;
  for (let round = random.between(1, 5); round > 0; round--) {
    const response = await fetch(`http://127.0.0.1:${context.httpPort}/`, { client, signal });
    const page = await response.text();
    if (response.status !== 200) {
      throw new RefusedError(
        `Cannot get the page: ${describeRefusal(response, new TextEncoder().encode(page))}`,
      );
    }
    first ??= page;
    requireSame(page, first, "page");
    bytes += page.length;
  }
  return bytes;
};

/** Sends POSTs that are echoed: one of known length, one chunked. */
export const post: Job = async (context, random, signal) => {
  using client = proxied(context);
  const bytes = testBytes(random.between(1, 1_000_000), random.between(1, 1_000));
  for (const body of [bytes, ReadableStream.from(chunks(bytes, random.between(1_000, 90_000)))]) {
    const url = `http://127.0.0.1:${context.httpPort}/echo`;
    const response = await fetch(url, { method: "POST", body, client, signal });
    const back = await response.bytes();
    if (response.status !== 200) throw new RefusedError(`Cannot post: ${describeRefusal(response, back)}`);
    requireSame(sha256(back), sha256(bytes), "echo of a POST");
  }
  return 2 * bytes.length;
};

/** Sends messages that are echoed over a WebSocket. */
export const websocket: Job = async (context, random, signal) => {
  using client = proxied(context);
  const socket = new WebSocket(`ws://127.0.0.1:${context.httpPort}/ws`, { client });
  socket.binaryType = "arraybuffer";
  const closed = new Promise<void>((resolve) => socket.addEventListener("close", () => resolve()));
  const abort = () => socket.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await next(socket, "open").catch(({ message }) => {
      throw new RefusedError(message);
    });
    let bytes = 0;
    for (let round = random.between(1, 10); round > 0; round--) {
      const message = testBytes(random.between(1, 60_000), round);
      socket.send(message);
      const { data } = await next(socket, "message") as MessageEvent<ArrayBuffer>;
      requireSame(sha256(new Uint8Array(data)), sha256(message), "echo over a WebSocket");
      bytes += message.length;
    }
    return bytes;
  } finally {
    signal.removeEventListener("abort", abort);
    socket.close();
    await closed;
  }
};

function next(socket: WebSocket, type: "open" | "message"): Promise<Event> {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`Cannot wait for ${type}: the WebSocket closed`));
    socket.addEventListener("close", failed, { once: true });
    socket.addEventListener("error", (event) => {
      event.preventDefault();
      failed();
    }, { once: true });
    socket.addEventListener(type, resolve, { once: true });
  });
}

function describeRefusal({ status, headers }: Response, body: Uint8Array): string {
  const reason = headers.get("proxy-status") ?? new TextDecoder().decode(body.subarray(0, 200));
  return `status ${status}, ${reason}`;
}

function* chunks(bytes: Uint8Array<ArrayBuffer>, size: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
