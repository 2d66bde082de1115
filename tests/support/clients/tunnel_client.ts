import { ByteReader, writeAll } from "../byte_reader.ts";

/** A raw connection through CONNECT, so that a test controls every byte and every half-close. */
export interface Tunnel extends Disposable {
  /** The connection to the proxy. */
  readonly connection: Deno.TcpConn;
  /** Reads what comes after the proxy's response. */
  readonly reader: ByteReader;
  /** The proxy's response: status line and headers. */
  readonly head: string;
  /** The status of that response. */
  readonly status: number;
}

/**
 * Asks the proxy on 127.0.0.1:`proxyPort` for a tunnel to `target` and reads its response.
 *
 * @param early Bytes for the target that are sent with the request, before the response.
 */
export async function openTunnel(proxyPort: number, target: string, early = ""): Promise<Tunnel> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  try {
    await writeAll(connection, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n${early}`);
    const reader = new ByteReader(connection);
    const head = await reader.head();
    return {
      connection,
      reader,
      head,
      status: Number(head.split(" ")[1]),
      [Symbol.dispose]: () => connection[Symbol.dispose](),
    };
  } catch (error) {
    connection[Symbol.dispose]();
    throw error;
  }
}
