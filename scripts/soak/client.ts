import { type ByteReader, writeAll } from "../../tests/support/byte_reader.ts";

/** Asks the proxy for a tunnel to a port of 127.0.0.1; throws when it does not give one. */
export type OpenTunnel = (connection: Deno.TcpConn, reader: ByteReader, port: number) => Promise<void>;

/** By HTTP CONNECT (RFC 9110 section 9.3.6). */
export const openConnect: OpenTunnel = async (connection, reader, port) => {
  const target = `127.0.0.1:${port}`;
  await writeAll(connection, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  const [status = ""] = (await reader.head()).split("\r\n");
  if (!/^HTTP\/1\.1 200 /.test(status)) throw new Error(`Cannot get a tunnel: ${status}`);
};

/** By SOCKS5 without authentication (RFC 1928). */
export const openSocks: OpenTunnel = async (connection, reader, port) => {
  await writeAll(connection, new Uint8Array([5, 1, 0]));
  await reader.exactly(2);
  await writeAll(connection, new Uint8Array([5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255]));
  const [, reply] = await reader.exactly(10);
  if (reply !== 0) throw new Error(`Cannot get a tunnel: SOCKS5 reply ${reply}`);
};
