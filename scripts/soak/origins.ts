import { createServer } from "node:net";
import { ByteReader, writeAll } from "../../tests/support/byte_reader.ts";
import { connectionsOf } from "../../tests/support/programs/connections_of.ts";
import { sha256, testBytes } from "../../tests/support/test_bytes.ts";
import { startSampleOrigin } from "../demo/sample_origin.ts";

/** Ports of the targets on 127.0.0.1. */
export interface Targets {
  readonly httpPort: number;
  readonly tcpPort: number;
  readonly resetPort: number;
}

/** The targets of a soak. */
export interface Origins {
  /** Closes all connections and frees the ports. */
  stop(): Promise<void>;
}

/**
 * Starts the targets: on `httpPort` the sample site, on `tcpPort` an origin that takes a command at the start of
 * each connection (`DOWN count seed` sends bytes and ends, `UP count` reads bytes and answers with their SHA-256,
 * `ECHO` sends back everything it reads, `FLOOD` sends without end), and on `resetPort` an origin that answers with
 * some bytes and resets the connection.
 */
export function startOrigins({ httpPort, tcpPort, resetPort }: Targets): Origins {
  const site = startSampleOrigin({ port: httpPort });
  const resetting = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write(FLOOD, () => socket.resetAndDestroy()));
  }).listen(resetPort, "127.0.0.1");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: tcpPort });
  const open = new Set<Deno.TcpConn>();
  const serving = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const connection of connectionsOf(listener)) {
      open.add(connection);
      const served = serve(connection).finally(() => {
        open.delete(connection);
        serving.delete(served);
      });
      serving.add(served);
    }
  })();
  return {
    async stop() {
      listener.close();
      for (const connection of open) close(connection);
      const freed = new Promise((resolve) => resetting.close(resolve));
      await Promise.all([accepting, ...serving, site.stop(), freed]);
    },
  };
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  try {
    const reader = new ByteReader(connection);
    const [verb, count, seed] = (await reader.head()).trim().split(" ");
    if (verb === "DOWN") await writeAll(connection, testBytes(Number(count), Number(seed)));
    else if (verb === "UP") await writeAll(connection, sha256(await reader.exactly(Number(count))));
    else if (verb === "FLOOD") await flood(connection);
    else await echo(connection, reader);
    await connection.closeWrite();
    await reader.toEnd();
  } catch {
    // The client closed, or a fault cut the connection: the client checks the result.
  } finally {
    close(connection);
  }
}

const FLOOD = testBytes(65_536);

async function flood(connection: Deno.TcpConn): Promise<void> {
  for (;;) await writeAll(connection, FLOOD);
}

async function echo(connection: Deno.TcpConn, reader: ByteReader): Promise<void> {
  for (;;) {
    const bytes = await reader.some().catch(() => undefined);
    if (bytes === undefined) return;
    await writeAll(connection, bytes);
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // Already closed.
  }
}
