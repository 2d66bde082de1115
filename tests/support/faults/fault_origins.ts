import { writeAll } from "../byte_reader.ts";
import { type HttpOrigin, startHttpOrigin } from "../origins/http_origin.ts";
import { Checker, type Pattern } from "./pattern.ts";
import { startTcpOrigin, type TcpOrigin } from "../origins/tcp_origin.ts";

/** Connections are closed after each response, so that none is kept and counted later. */
const CLOSE = { connection: "close" };

/** Targets of the transfers of a fault test. */
export interface FaultOrigins extends AsyncDisposable {
  /** Content of all transfers. */
  readonly pattern: Pattern;
  /** Serves the pattern at `/sized` and `/chunked`, `POST /upload`, WebSockets at `/echo`, and its path at any other. */
  readonly http: HttpOrigin;
  /** Echoes bytes and the end of the stream. */
  readonly echo: TcpOrigin;
  /** Errors of targets that saw a good end of an incomplete transfer, or got wrong bytes. */
  readonly falseEnds: readonly unknown[];
  /** Transfers whose end the targets have not seen. */
  readonly open: number;
  /**
   * From now on the server may be killed: the operating system then closes its plain TCP connections as after a good
   * end. Only protocols with framing, such as HTTP and TLS, can detect that.
   */
  serverMayBeKilled(): void;
}

/** Records what the targets see. */
class TransferObserver {
  readonly falseEnds: unknown[] = [];
  open = 0;
  serverMayBeKilled = false;

  /** Counts a transfer while it runs. A connection error is the expected end of a broken transfer. */
  async watch(transfer: () => Promise<void>): Promise<void> {
    this.open++;
    try {
      await transfer();
    } catch (error) {
      if (error instanceof Error && error.name === "AssertionError") this.falseEnds.push(error);
    } finally {
      this.open--;
    }
  }
}

/** Starts origins for transfers of `pattern`. */
export function startFaultOrigins(pattern: Pattern): FaultOrigins {
  const observer = new TransferObserver();
  const http = startHttpOrigin((request) => answer(request, pattern, observer));
  const echo = startTcpOrigin((connection) => observer.watch(() => echoTo(connection, pattern, observer)));
  return {
    pattern,
    http,
    echo,
    falseEnds: observer.falseEnds,
    get open() {
      return observer.open;
    },
    serverMayBeKilled() {
      observer.serverMayBeKilled = true;
    },
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await echo[Symbol.asyncDispose]();
    },
  };
}

async function answer(request: Request, pattern: Pattern, observer: TransferObserver): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/echo") return echoMessages(request, observer);
  if (pathname === "/upload") return await takeUpload(request, pattern, observer);
  if (pathname !== "/sized" && pathname !== "/chunked") return new Response(pathname, { headers: CLOSE });
  const length = pathname === "/sized" ? { "content-length": String(pattern.size) } : {};
  return new Response(ReadableStream.from(counted(pattern, observer)), { headers: { ...CLOSE, ...length } });
}

function* counted(pattern: Pattern, observer: TransferObserver): Generator<Uint8Array> {
  observer.open++;
  try {
    yield* pattern;
  } finally {
    observer.open--;
  }
}

function echoMessages(request: Request, observer: TransferObserver): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => observer.open++);
  socket.addEventListener("message", ({ data }) => socket.readyState === WebSocket.OPEN && socket.send(data));
  socket.addEventListener("error", () => {}); // `close` follows
  socket.addEventListener("close", () => observer.open--);
  return response;
}

async function takeUpload(request: Request, pattern: Pattern, observer: TransferObserver): Promise<Response> {
  await observer.watch(async () => {
    const checker = new Checker(pattern);
    for await (const bytes of request.body ?? []) checker.take(bytes);
    checker.ended();
  });
  return new Response(pattern.parts === Infinity ? "" : pattern.sha256, { headers: CLOSE });
}

async function echoTo(connection: Deno.TcpConn, pattern: Pattern, observer: TransferObserver): Promise<void> {
  const checker = new Checker(pattern);
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) break;
    checker.take(buffer.subarray(0, count));
    await writeAll(connection, buffer.subarray(0, count));
  }
  if (!checker.complete && observer.serverMayBeKilled) throw new Error("closed by the operating system");
  checker.ended();
  await connection.closeWrite();
}
