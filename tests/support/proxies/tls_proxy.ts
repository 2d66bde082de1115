import { connect, type Socket } from "node:net";
import { createServer } from "node:tls";

/** An HTTP proxy for tests that accepts TLS and forwards CONNECT requests. */
export interface TlsProxy extends AsyncDisposable {
  readonly port: number;
  /** Heads of the requests so far. */
  readonly heads: readonly string[];
  /** Server names (SNI) that clients sent; "" for an address. */
  readonly names: readonly string[];
}

/**
 * Starts a proxy on a free port of 127.0.0.1.
 *
 * @param answer Sent instead of connecting. @default {it connects}
 */
export async function startTlsProxy(
  tls: { readonly cert: string; readonly key: string },
  answer?: string,
): Promise<TlsProxy> {
  const heads: string[] = [];
  const names: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  };
  const server = createServer({ ...tls, ALPNProtocols: ["http/1.1"] }, (client) => {
    keep(client);
    names.push(String((client as { servername?: unknown }).servername || ""));
    client.once("data", (data: Uint8Array) => {
      const head = new TextDecoder().decode(data);
      heads.push(head);
      if (answer !== undefined) return void client.end(answer);
      const target = connect(Number(/^CONNECT \S+:(\d+) /.exec(head)?.[1]), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(target).pipe(client);
      });
      keep(target);
      client.once("close", () => target.destroy());
    });
  });
  server.on("tlsClientError", () => {});
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  return {
    port: (server.address() as { port: number }).port,
    heads,
    names,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}
