import { writeAll } from "./byte_reader.ts";
import { type HttpOrigin, startHttpOrigin } from "./http_origin.ts";
import { Checker, type Pattern } from "./pattern.ts";
import { startTcpOrigin, type TcpOrigin } from "./tcp_origin.ts";

/** Every connection is closed after its answer, so that none is kept and counted later. */
const CLOSE = { connection: "close" };

/** Where the transfers of a fault test go. */
export interface FaultOrigins extends AsyncDisposable {
  /** What they all carry. */
  readonly pattern: Pattern;
  /** Answers `/sized` and `/chunked` with the pattern, `POST /upload`, WebSockets at `/echo`, and any other path. */
  readonly http: HttpOrigin;
  /** Sends back what it gets, and its end. */
  readonly echo: TcpOrigin;
  /** Targets that saw a transfer end well that was not whole, and those that got wrong bytes. */
  readonly deceived: readonly unknown[];
  /** Transfers that the targets have not seen the end of. */
  readonly open: number;
  /**
   * From now on the server may be killed: the system itself then ends its plain TCP connections, with nothing to
   * tell such an end from a good one. Whoever needs to know frames what it sends, as HTTP and TLS do.
   */
  serverMayBeKilled(): void;
}

/** What the targets saw. */
class Witness {
  readonly deceived: unknown[] = [];
  open = 0;
  serverMayBeKilled = false;

  /** Counts a transfer while it lasts; a connection that breaks is what a broken one looks like. */
  async watch(transfer: () => Promise<void>): Promise<void> {
    this.open++;
    try {
      await transfer();
    } catch (error) {
      if (error instanceof Error && error.name === "AssertionError") this.deceived.push(error);
    } finally {
      this.open--;
    }
  }
}

/** Starts origins for transfers of `pattern`. */
export function startFaultOrigins(pattern: Pattern): FaultOrigins {
  const witness = new Witness();
  const http = startHttpOrigin((request) => answer(request, pattern, witness));
  const echo = startTcpOrigin((connection) => witness.watch(() => echoTo(connection, pattern, witness)));
  return {
    pattern,
    http,
    echo,
    deceived: witness.deceived,
    get open() {
      return witness.open;
    },
    serverMayBeKilled() {
      witness.serverMayBeKilled = true;
    },
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await echo[Symbol.asyncDispose]();
    },
  };
}

async function answer(request: Request, pattern: Pattern, witness: Witness): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/echo") return echoMessages(request, witness);
  if (pathname === "/upload") return await takeUpload(request, pattern, witness);
  if (pathname !== "/sized" && pathname !== "/chunked") return new Response(pathname, { headers: CLOSE });
  const length = pathname === "/sized" ? { "content-length": String(pattern.size) } : {};
  return new Response(ReadableStream.from(counted(pattern, witness)), { headers: { ...CLOSE, ...length } });
}

function* counted(pattern: Pattern, witness: Witness): Generator<Uint8Array> {
  witness.open++;
  try {
    yield* pattern;
  } finally {
    witness.open--;
  }
}

function echoMessages(request: Request, witness: Witness): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => witness.open++);
  socket.addEventListener("message", ({ data }) => socket.readyState === WebSocket.OPEN && socket.send(data));
  socket.addEventListener("error", () => {}); // `close` follows
  socket.addEventListener("close", () => witness.open--);
  return response;
}

async function takeUpload(request: Request, pattern: Pattern, witness: Witness): Promise<Response> {
  await witness.watch(async () => {
    const checker = new Checker(pattern);
    for await (const bytes of request.body ?? []) checker.take(bytes);
    checker.ended();
  });
  return new Response(pattern.parts === Infinity ? "" : pattern.sha256, { headers: CLOSE });
}

async function echoTo(connection: Deno.TcpConn, pattern: Pattern, witness: Witness): Promise<void> {
  const checker = new Checker(pattern);
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) break;
    checker.take(buffer.subarray(0, count));
    await writeAll(connection, buffer.subarray(0, count));
  }
  if (!checker.complete && witness.serverMayBeKilled) throw new Error("ended by the system");
  checker.ended();
  await connection.closeWrite();
}
