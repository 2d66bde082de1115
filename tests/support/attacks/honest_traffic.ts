import assert from "node:assert/strict";
import { writeAll } from "../byte_reader.ts";
import { openTunnel } from "../clients/tunnel_client.ts";
import { startTcpOrigin, type TcpOrigin } from "../origins/tcp_origin.ts";
import type { Chain } from "../programs/chain.ts";
import { sha256, testBytes } from "../test_bytes.ts";
import { within } from "../within.ts";

/** An origin that sends back what it gets. */
export function startEcho(): TcpOrigin {
  return startTcpOrigin(async (connection) => {
    const buffer = new Uint8Array(65_536);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      await writeAll(connection, buffer.subarray(0, count));
    }
  });
}

/** Traffic of an agent that does nothing wrong. */
export interface HonestTraffic {
  /** Rounds so far. */
  rounds(): number;
  /** Ends it, and returns its rounds; rejects when a byte was wrong, or was not served. */
  stop(): Promise<number>;
}

/** Echoes bytes through the agent of a chain, in a kept tunnel and in new ones, until it is stopped. */
export function honestTraffic(chain: Chain, host: string): HonestTraffic {
  let rounds = 0;
  let going = true;
  const work = (async () => {
    using kept = await openTunnel(chain.proxyPort, host);
    while (going) {
      using fresh = await openTunnel(chain.proxyPort, host);
      assert.equal(fresh.status, 200, fresh.head);
      for (const { connection, reader } of [kept, fresh]) {
        const bytes = testBytes(100_000 + rounds, rounds + 1);
        const [back] = await Promise.all([reader.exactly(bytes.length), writeAll(connection, bytes)]);
        assert.equal(sha256(back), sha256(bytes), "the honest agent's bytes");
      }
      rounds++;
    }
    return rounds;
  })().catch((cause) => {
    const logs = [chain.agent, chain.server].map(({ log }) => log.text.slice(-20_000)).join("\n");
    throw new Error(`${cause} in round ${rounds}; the programs wrote:\n${logs}`, { cause });
  });
  // Reported by `stop`; until then a rejection must not end the test run.
  work.catch(() => {});
  return {
    rounds: () => rounds,
    stop() {
      going = false;
      return within(15_000, work, "the honest traffic ends");
    },
  };
}
