import { ByteReader, writeAll } from "../../tests/support/byte_reader.ts";
import { sha256, testBytes } from "../../tests/support/test_bytes.ts";
import type { Dice } from "./dice.ts";
import { openConnect, openSocks } from "./client.ts";
import { type Job, requireSame } from "./job.ts";
import { get, post, websocket } from "./http_jobs.ts";

/** Opens a tunnel by CONNECT or SOCKS5, gives the origin its order, and closes whatever happens. */
async function withTunnel<T>(
  [{ proxyPort, tcpPort }, dice, signal]: Parameters<Job>,
  order: string,
  body: (connection: Deno.TcpConn, reader: ByteReader) => Promise<T>,
  port = tcpPort,
): Promise<T> {
  const open = dice.pick([openConnect, openConnect, openSocks]);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  const abort = () => connection.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const reader = new ByteReader(connection);
    await open(connection, reader, port);
    await writeAll(connection, `${order}\r\n\r\n`);
    return await body(connection, reader);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

const download: Job = (...where) => {
  const [count, seed] = [size(where[1]), where[1].between(1, 1_000)];
  return withTunnel(where, `DOWN ${count} ${seed}`, async (_, reader) => {
    requireSame(sha256(await reader.toEnd()), sha256(testBytes(count, seed)), "download");
    return count;
  });
};

const upload: Job = (...where) => {
  const [count, seed] = [size(where[1]), where[1].between(1, 1_000)];
  return withTunnel(where, `UP ${count}`, async (connection, reader) => {
    const bytes = testBytes(count, seed);
    await writeAll(connection, bytes);
    // Ends early, or not at all, only by a reset: a good end says that all was there.
    requireSame(new TextDecoder().decode(await reader.toEnd()), sha256(bytes), "upload");
    return count;
  });
};

/** Ends its own direction first and reads the echo to the end. */
const halfClose: Job = (...where) => {
  const bytes = testBytes(where[1].between(1, 300_000), where[1].between(1, 1_000));
  return withTunnel(where, "ECHO", async (connection, reader) => {
    const sent = writeAll(connection, bytes).then(() => connection.closeWrite());
    const [back] = await Promise.all([reader.toEnd(), sent]);
    requireSame(sha256(back), sha256(bytes), "echo");
    return bytes.length;
  });
};

/** A client that goes away in the middle. */
const cancelled: Job = (...where) =>
  withTunnel(where, "DOWN 5000000 1", async (_, reader) => (await reader.some()).length);

/** A target that breaks off: never to be taken for a good end. */
const targetReset: Job = (...where) =>
  withTunnel(
    where,
    "anything",
    async (_, reader) => {
      const end = await reader.toEnd().then(() => "good", () => "reset");
      requireSame(end, "reset", "the end of a target that broke off");
      return 0;
    },
    where[0].resetPort,
  );

/** Reads a little of an endless answer, slowly, and leaves. */
const slowReader: Job = (...where) =>
  withTunnel(where, "FLOOD", async (_, reader) => {
    for (let round = 0; round < 20; round++) {
      await reader.some();
      await new Promise((resolve) => setTimeout(resolve, where[1].between(10, 50)));
    }
    return 0;
  });

function size(dice: Dice): number {
  return dice.pick([
    () => dice.between(1, 2_000),
    () => dice.between(1, 200_000),
    () => dice.between(1, 4_000_000),
  ])();
}

/** All kinds of traffic; the more often a kind is named, the more of it there is. */
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
