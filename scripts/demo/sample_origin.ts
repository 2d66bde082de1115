import { PAGE, PICTURE_PNG, PICTURE_SVG } from "./sample_page.ts";

/** Options of the sample origin. */
export interface SampleOriginOptions {
  /**
   * TCP port on 127.0.0.1; 0 picks a free one.
   *
   * @default {0}
   */
  port?: number;
}

/** A running sample origin. */
export interface SampleOrigin {
  /** The port in use. */
  readonly port: number;
  /** Closes WebSockets and requests, and frees the port. */
  stop(): Promise<void>;
}

/**
 * Starts a small web site to open through the proxy: a page with two pictures at `/`, `POST /echo` that sends the body
 * back, and a WebSocket at `/ws` that echoes messages.
 *
 * @throws {Deno.errors.AddrInUse} When the port is in use.
 */
export function startSampleOrigin(options: SampleOriginOptions = {}): SampleOrigin {
  const sockets = new Set<WebSocket>();
  const stopping = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    signal: stopping.signal,
    onListen() {},
  }, (request) => answer(request, sockets));
  return {
    port: server.addr.port,
    async stop() {
      const closed = [...sockets].map(closeSocket);
      stopping.abort();
      await Promise.all([...closed, server.finished]);
    },
  };
}

function answer(request: Request, sockets: Set<WebSocket>): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/ws" && request.headers.get("upgrade")?.toLowerCase() === "websocket") {
    return echoSocket(request, sockets);
  }
  if (pathname === "/echo" && request.method === "POST") {
    const type = request.headers.get("content-type") ?? "application/octet-stream";
    return new Response(request.body, { headers: { "content-type": type } });
  }
  if (pathname === "/") return typed(PAGE, "text/html; charset=utf-8");
  if (pathname === "/picture.png") return typed(PICTURE_PNG, "image/png");
  if (pathname === "/picture.svg") return typed(PICTURE_SVG, "image/svg+xml");
  return new Response(`not found: ${pathname}\n`, { status: 404 });
}

function typed(body: BodyInit, type: string): Response {
  return new Response(body, { headers: { "content-type": type } });
}

function echoSocket(request: Request, sockets: Set<WebSocket>): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  sockets.add(socket);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", (event) => socket.send(event.data));
  socket.addEventListener("close", () => sockets.delete(socket));
  socket.addEventListener("error", () => sockets.delete(socket));
  return response;
}

/** Closes a WebSocket; waits for the client's close frame for at most a second. */
function closeSocket(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1000);
    socket.addEventListener("close", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
    socket.close(1001, "going away");
  });
}
