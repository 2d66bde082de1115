import assert from "node:assert/strict";
import { writeAll } from "../byte_reader.ts";
import type { FaultOrigins } from "./fault_origins.ts";
import { Checker } from "./pattern.ts";
import { openTunnel } from "../clients/tunnel_client.ts";

/** Where transfers go, and what they carry; the addresses may be those of another process. */
export interface TransferOrigins extends Pick<FaultOrigins, "pattern"> {
  readonly http: { readonly host: string };
  readonly echo: { readonly host: string };
}

/** Everything a transfer needs. */
export interface TransferContext {
  origins: TransferOrigins;
  /** The agent's proxy port. */
  proxyPort: number;
  /** Sends requests through that proxy. */
  client: Deno.HttpClient;
  /** Is called when bytes have arrived. */
  begun(): void;
  /** Aborts when the test ends. */
  signal: AbortSignal;
}

/**
 * Moves the pattern through the chain. Resolves when the client saw a good end and every byte was right; rejects with
 * an `AssertionError` when it saw a good end of an incomplete transfer, or a wrong byte, and with anything else when
 * the client got an error.
 */
export type Transfer = (context: TransferContext) => Promise<void>;

/** The kinds of transfers. */
export const TRANSFERS: Readonly<Record<string, Transfer>> = {
  "download with a length": (context) => download(context, "/sized"),
  "chunked download": (context) => download(context, "/chunked"),
  "upload": upload,
  "echo through CONNECT": echo,
  "echo over a WebSocket": webSocketEcho,
};

async function download({ origins, client, begun, signal }: TransferContext, path: string): Promise<void> {
  const response = await fetch(`http://${origins.http.host}${path}`, { client, signal });
  await requireGood(response);
  const checker = new Checker(origins.pattern);
  for await (const bytes of response.body ?? []) {
    checker.take(bytes);
    begun();
  }
  checker.ended();
}

async function upload({ origins, client, begun, signal }: TransferContext): Promise<void> {
  const { pattern, http } = origins;
  const parts = pattern[Symbol.iterator]();
  let sent = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      // More than windows and buffers hold: something has arrived.
      if (++sent === Math.min(64, pattern.parts)) begun();
      const { value, done } = parts.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const response = await fetch(`http://${http.host}/upload`, { client, signal, method: "POST", body });
  await requireGood(response);
  assert.equal(await response.text(), pattern.sha256, "the target got what was sent");
}

async function echo({ origins, proxyPort, begun, signal }: TransferContext): Promise<void> {
  const { pattern, echo } = origins;
  using tunnel = await openTunnel(proxyPort, echo.host);
  if (tunnel.status !== 200) throw new Error(tunnel.head);
  const { connection } = tunnel;
  signal.addEventListener("abort", () => tunnel[Symbol.dispose](), { once: true });
  const send = async () => {
    for (const part of pattern) await writeAll(connection, part);
    await connection.closeWrite();
  };
  const checker = new Checker(pattern);
  const receive = async () => {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return;
      checker.take(buffer.subarray(0, count));
      begun();
    }
  };
  const [sent, received] = await Promise.allSettled([send(), receive()]);
  if (received.status === "rejected") throw received.reason;
  // The system reports a reset only once: if the write got it, the read only sees an end.
  if (sent.status === "rejected") throw sent.reason;
  checker.ended();
}

function webSocketEcho({ origins, client, begun, signal }: TransferContext): Promise<void> {
  const { pattern, http } = origins;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const checker = new Checker(pattern);
  const parts = pattern[Symbol.iterator]();
  const socket = new WebSocket(`ws://${http.host}/echo`, { client });
  socket.binaryType = "arraybuffer";
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  const sendNext = () => {
    const { value, done } = parts.next();
    if (!done) socket.send(value);
  };
  socket.addEventListener("open", () => [1, 2, 3, 4].forEach(sendNext));
  socket.addEventListener("message", ({ data }) => {
    try {
      checker.take(new Uint8Array(data as ArrayBuffer));
    } catch (error) {
      reject(error);
    }
    begun();
    if (checker.complete) socket.close(1000);
    else if (socket.readyState === WebSocket.OPEN) sendNext();
  });
  socket.addEventListener("error", () => {}); // `close` follows with more details
  socket.addEventListener("close", ({ code, wasClean }) => {
    if (!wasClean) return reject(new Error(`the WebSocket broke, code ${code}`));
    try {
      checker.ended();
      resolve();
    } catch (error) {
      reject(error);
    }
  });
  return promise;
}

async function requireGood(response: Response): Promise<void> {
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
}
