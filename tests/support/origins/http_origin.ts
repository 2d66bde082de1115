/** An HTTP, HTTPS or WebSocket origin of a test. */
export interface HttpOrigin extends AsyncDisposable {
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** Its address as in URLs, such as `127.0.0.1:4711`. */
  readonly host: string;
}

/** A certificate and its key as PEM text. */
export interface ServingCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Starts an origin on a free port of 127.0.0.1. Disposing of it ends requests in progress.
 *
 * @param handler Responds to a request; it may use `Deno.upgradeWebSocket`.
 * @param tls Makes it an HTTPS origin.
 */
export function startHttpOrigin(handler: Deno.ServeHandler, tls?: ServingCertificate): HttpOrigin {
  const stopping = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: stopping.signal,
    onListen() {},
    onError: (error) => new Response(String(error), { status: 500 }),
    ...tls,
  }, handler);
  const { port } = server.addr as Deno.NetAddr;
  return {
    port,
    host: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await server.finished;
    },
  };
}

/** Accepts a WebSocket upgrade and echoes text as text and bytes as bytes. */
export function echoWebSocket(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", (event) => socket.send(event.data));
  return response;
}
