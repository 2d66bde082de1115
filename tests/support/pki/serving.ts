import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { within } from "../within.ts";

/** A listening server. */
export interface Serving extends AsyncDisposable {
  readonly port: number;
}

/** Makes a server listen on a free port of 127.0.0.1; disposing destroys its sockets. */
export async function serve(server: Server): Promise<Serving> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => {}));
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server.close(), "close");
      for (const socket of sockets) socket.destroy();
      await within(5_000, closed, "a server closes");
    },
  };
}
