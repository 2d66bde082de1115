import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";

/** An HTTP proxy on loopback that only supports `CONNECT` and counts the bytes that come back through it. */
export interface CountingProxy extends AsyncDisposable {
  /** Value for `HTTPS_PROXY`. */
  readonly url: string;
  /** Bytes received from hosts so far. */
  readonly received: number;
}

const HEAD_END = "\r\n\r\n";

/** Starts a {@linkcode CountingProxy} on a free port. */
export async function startCountingProxy(): Promise<CountingProxy> {
  let received = 0;
  const sockets = new Set<Socket>();
  // A name lookup cannot be cancelled: the end waits for it.
  const dials = new Set<Promise<void>>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy());
  };
  const server = createServer((client) => {
    keep(client);
    let head = "";
    const read = (bytes: Uint8Array) => {
      head += new TextDecoder("latin1").decode(bytes);
      if (!head.includes(HEAD_END)) return;
      client.off("data", read);
      const [, host, port] = /^CONNECT ([^:\s]+):(\d+) /.exec(head) ?? [];
      if (host === undefined) {
        client.end(`HTTP/1.1 400 Bad Request${HEAD_END}`);
        return;
      }
      const settled = Promise.withResolvers<void>();
      dials.add(settled.promise);
      const target = connect(Number(port), host, () => client.write(`HTTP/1.1 200 OK${HEAD_END}`));
      keep(target);
      target.once("connect", settled.resolve).once("close", settled.resolve);
      target.on("data", (bytes) => received += bytes.length);
      target.pipe(client).pipe(target);
    };
    client.on("data", read);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("Cannot start the proxy: it has no port");
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    get received() {
      return received;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(dials);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
