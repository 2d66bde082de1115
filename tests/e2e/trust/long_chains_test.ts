/** Purpose: peers that present hundreds of certificates cost the server no more than others, and break no tunnel. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { branchingChain, confusingChain } from "../../support/pki/made_certificate.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";
import { openTunnel } from "../../support/clients/tunnel_client.ts";
import { within } from "../../support/within.ts";

const UNKNOWN_PEERS = 30;

/** Chains that fit into a handshake: number of certificates, and how to create them. */
const ATTACKS = {
  "210 certificates of one name": [210, () => confusingChain(210, "CN=x")],
  // A TLS library with a CA searches for a path through these.
  "200 certificates, each of which could have issued any other": [200, () => branchingChain(200, "CN=x")],
  "160 certificates with the name of the server's CA": [
    160,
    async (chain: Chain) => {
      const { subject } = new X509Certificate(await Deno.readTextFile(`${chain.dir}/certs/ca.crt`));
      return confusingChain(160, subject);
    },
  ],
} as const;

/** Connects with a certificate and waits until the server hangs up. */
async function knock(port: number, identity: { cert: string; key: string }): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...identity });
  socket.on("error", () => {}).resume();
  await within(60_000, once(socket, "close"), "the server hangs up");
}

for (const [what, [count, clientIdentity]] of Object.entries(ATTACKS)) {
  Deno.test(`a tunnel survives ${UNKNOWN_PEERS} unknown peers at once, each with ${what}`, async () => {
    await using chain = await Chain.start();
    await using origin = startTcpOrigin(async (connection) => {
      const reader = new ByteReader(connection);
      for (let round = 0; round < 2; round++) await writeAll(connection, await reader.exactly(4));
    });
    {
      using tunnel = await openTunnel(chain.proxyPort, origin.host);
      const echo = async () => {
        await writeAll(tunnel.connection, "ping");
        const answer = await within(60_000, tunnel.reader.exactly(4), "the echo");
        assert.equal(new TextDecoder().decode(answer), "ping");
      };
      await echo();
      const identity = await clientIdentity(chain);
      await Promise.all(Array.from({ length: UNKNOWN_PEERS }, () => knock(chain.serverPort, identity)));
      await echo();
      const { fields } = await chain.server.log.waitFor("agent refused");
      // The chain was counted, not parsed: otherwise the line would name the certificate.
      const reason = `its certificate came in a chain of ${count} certificates, and at most 4 are accepted`;
      assert.equal(fields["error"], `Cannot accept the peer: ${reason}`);
      assert.equal(fields["code"], "peer_rejected");
    }
    await chain.finish();
  });
}
