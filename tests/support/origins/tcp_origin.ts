import { connectionsOf } from "../programs/connections_of.ts";

/** A test origin that sends whatever its handler sends, byte for byte. */
export interface TcpOrigin extends AsyncDisposable {
  /** Its port. */
  readonly port: number;
  /** Its address as in CONNECT, such as `127.0.0.1:4711` or `[::1]:4711`. */
  readonly host: string;
  /** How many connections it has accepted. */
  readonly accepted: number;
}

/**
 * Starts a TCP origin on a free port. A connection is closed when its handler returns; disposing of the origin
 * closes all and waits for the handlers.
 *
 * @param handler Serves one connection. An error that the connection caused ends it, an `AssertionError` comes
 * out of the disposal.
 */
export function startTcpOrigin(
  handler: (connection: Deno.TcpConn) => Promise<void>,
  hostname = "127.0.0.1",
): TcpOrigin {
  const listener = Deno.listen({ hostname, port: 0 });
  const open = new Set<Deno.TcpConn>();
  const work: Promise<void>[] = [];
  let failure: unknown;
  let accepted = 0;
  const serve = async (connection: Deno.TcpConn) => {
    open.add(connection);
    try {
      await handler(connection);
    } catch (error) {
      if (error instanceof Error && error.name === "AssertionError") failure ??= error;
    } finally {
      open.delete(connection);
      connection[Symbol.dispose]();
    }
  };
  const accepting = (async () => {
    for await (const connection of connectionsOf(listener)) {
      accepted++;
      work.push(serve(connection));
    }
  })();
  return {
    port: listener.addr.port,
    host: `${hostname.includes(":") ? `[${hostname}]` : hostname}:${listener.addr.port}`,
    get accepted() {
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection[Symbol.dispose]();
      await Promise.all([accepting, ...work]);
      if (failure) throw failure;
    },
  };
}
