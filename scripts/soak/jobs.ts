import { ByteReader, writeAll } from "../../tests/support/byte_reader.ts";
import { sha256, testBytes } from "../../tests/support/test_bytes.ts";
import type { SeededRandom } from "./seeded_random.ts";
import { type Job, RefusedError, requireSame } from "./job.ts";
import { get, post, websocket } from "./http_jobs.ts";

/** Asks the proxy for a tunnel to a port of 127.0.0.1; throws when it refuses. */
type OpenTunnel = (connection: Deno.TcpConn, reader: ByteReader, port: number) => Promise<void>;

/** By HTTP CONNECT (RFC 9110 section 9.3.6). */
const openConnect: OpenTunnel = async (connection, reader, port) => {
  const target = `127.0.0.1:${port}`;
  await writeAll(connection, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  const [status = ""] = (await reader.head()).split("\r\n");
  if (!/^HTTP\/1\.1 200 /.test(status)) throw new RefusedError(`Cannot open a tunnel: ${status}`);
};

/** By SOCKS5 without authentication (RFC 1928). */
const openSocks: OpenTunnel = async (connection, reader, port) => {
  await writeAll(connection, new Uint8Array([5, 1, 0]));
  await reader.exactly(2);
  await writeAll(connection, new Uint8Array([5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 255]));
  const [, reply] = await reader.exactly(10);
  if (reply !== 0) throw new RefusedError(`Cannot open a tunnel: SOCKS5 reply ${reply}`);
};

/** Opens a tunnel by CONNECT or SOCKS5, sends the origin a command, and closes the tunnel in any case. */
async function withTunnel<T>(
  [{ proxyPort, tcpPort }, random, signal]: Parameters<Job>,
  command: string,
  body: (connection: Deno.TcpConn, reader: ByteReader) => Promise<T>,
  port = tcpPort,
): Promise<T> {
  const open = random.pick([openConnect, openConnect, openSocks]);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  const abort = () => connection.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const reader = new ByteReader(connection);
    await open(connection, reader, port);
    await writeAll(connection, `${command}\r\n\r\n`);
    return await body(connection, reader);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

const download: Job = (...args) => {
  const [count, seed] = [size(args[1]), args[1].between(1, 1_000)];
  return withTunnel(args, `DOWN ${count} ${seed}`, async (_, reader) => {
    requireSame(sha256(await reader.toEnd()), sha256(testBytes(count, seed)), "download");
    return count;
  });
};

const upload: Job = (...args) => {
  const [count, seed] = [size(args[1]), args[1].between(1, 1_000)];
  return withTunnel(args, `UP ${count}`, async (connection, reader) => {
    const bytes = testBytes(count, seed);
    await writeAll(connection, bytes);
    // A reset makes this throw: after a good end the target must have got everything.
    requireSame(new TextDecoder().decode(await reader.toEnd()), sha256(bytes), "upload");
    return count;
  });
};

/** Half-closes its own direction first and reads the echo to the end. */
const halfClose: Job = (...args) => {
  const bytes = testBytes(args[1].between(1, 300_000), args[1].between(1, 1_000));
  return withTunnel(args, "ECHO", async (connection, reader) => {
    const sent = writeAll(connection, bytes).then(() => connection.closeWrite());
    const [back] = await Promise.all([reader.toEnd(), sent]);
    requireSame(sha256(back), sha256(bytes), "echo");
    return bytes.length;
  });
};

/** A client that closes its connection during a download. */
const cancelled: Job = (...args) =>
  withTunnel(args, "DOWN 5000000 1", async (_, reader) => (await reader.some()).length);

/** A target that resets the connection, which must never look like a good end. */
const targetReset: Job = (...args) =>
  withTunnel(
    args,
    "anything",
    async (_, reader) => {
      const end = await reader.toEnd().then(() => "good", () => "reset");
      requireSame(end, "reset", "the end of a target that reset the connection");
      return 0;
    },
    args[0].resetPort,
  );

/** Reads the start of an endless response slowly, and closes. */
const slowReader: Job = (...args) =>
  withTunnel(args, "FLOOD", async (_, reader) => {
    for (let round = 0; round < 20; round++) {
      await reader.some();
      await new Promise((resolve) => setTimeout(resolve, args[1].between(10, 50)));
    }
    return 0;
  });

function size(random: SeededRandom): number {
  return random.pick([
    () => random.between(1, 2_000),
    () => random.between(1, 200_000),
    () => random.between(1, 4_000_000),
  ])();
}

/** All kinds of traffic; a kind that is listed twice runs twice as often. */
export const JOBS: readonly (readonly [name: string, job: Job])[] = [
  ["download", download],
  ["download", download],
  ["upload", upload],
  ["upload", upload],
  ["half-close", halfClose],
  ["cancelled", cancelled],
  ["target reset", targetReset],
  ["slow reader", slowReader],
  ["GET", get],
  ["GET", get],
  ["POST", post],
  ["POST", post],
  ["WebSocket", websocket],
];
