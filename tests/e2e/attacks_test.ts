/**
 * Purpose: whoever holds the wrong certificate gets nowhere, at the real server as a client and at the real agent
 * as a server; nor does a root that the machine believes help anybody.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:tls";
import type { CertifiedKey } from "../../agent/certs/authority.ts";
import { pemBlocks, toPem } from "../../agent/certs/pem.ts";
import { Chain } from "../support/chain.ts";
import { replaceFile } from "../support/chain_authority.ts";
import { eventually } from "../support/eventually.ts";
import { noOpenssl } from "../support/openssl.ts";
import { EXPIRED, NOT_YET_VALID, TEST_SERVER_NAME, TestPki } from "../support/pki.ts";
import { startProgram } from "../support/programs.ts";
import { sClient } from "../support/s_client.ts";
import { believing } from "../support/public_root.ts";
import { serve } from "../support/serving.ts";
import { within } from "../support/within.ts";
import { agentStatus, health } from "../support/zero.ts";

/** Makes the CA of a chain one that the test holds, so that it can issue what no tool would. */
async function chainOf(pki: TestPki, server: Record<string, unknown> = {}): Promise<Chain> {
  const chain = await Chain.prepare({ agent: server });
  const [own, client] = [await pki.serverKey(), await pki.clientKey()];
  const files = { "ca.crt": pki.ca, "server.crt": own.cert, "server.key": own.key };
  for (
    const [name, text] of Object.entries({ ...files, "client.crt": client.cert, "client.key": client.key })
  ) {
    await replaceFile(chain, name, text);
  }
  return chain;
}

/** Environment in which everything of the runtime that reads roots finds this one. */
async function believingRoot(chain: Chain, root: string): Promise<Record<string, string>> {
  const file = `${chain.dir}/public.crt`;
  await Deno.writeTextFile(file, root);
  return believing(file);
}

/** Connects to the server as somebody who trusts it and shows what it has; returns what came before the end. */
async function intrude(chain: Chain, ca: string, key?: CertifiedKey): Promise<number> {
  const socket = connect({
    host: "127.0.0.1",
    port: chain.serverPort,
    servername: TEST_SERVER_NAME,
    ca,
    ...key,
    minVersion: "TLSv1.3",
  });
  let bytes = 0;
  socket.on("error", () => {});
  socket.on("data", (data: Uint8Array) => bytes += data.length);
  // A hello and a request that nobody may answer.
  socket.on("secureConnect", () => socket.write(new Uint8Array(1_000)));
  await within(5_000, once(socket, "close"), "the server hangs up");
  return bytes;
}

Deno.test("the server refuses every client whose certificate is not what it has to be", async () => {
  const pki = await TestPki.create();
  const publicRoot = await TestPki.create("Public Root");
  await using chain = await chainOf(pki);
  await chain.startServer(await believingRoot(chain, publicRoot.ca));
  const clients: [CertifiedKey | undefined, RegExp][] = [
    [undefined, /it presented no certificate$/],
    [await (await TestPki.create("Rogue CA")).clientKey(), /was issued by CN=Rogue CA, not by CN=Test CA$/],
    [await (await TestPki.create("Test CA")).clientKey(), /was issued by another CN=Test CA than the one/],
    [await publicRoot.clientKey(), /was issued by CN=Public Root, not by CN=Test CA$/],
    [await pki.clientKey(EXPIRED), /expired at /],
    [await pki.clientKey(NOT_YET_VALID), /is not valid before /],
    [await pki.serverKey(), /is not for clientAuth/],
    [await pki.clientKey({ usages: [] }), /is not for clientAuth/],
  ];
  for (const [key, reason] of clients) {
    const before = chain.server.log.lines.length;
    assert.equal(await intrude(chain, pki.ca, key), 0, `bytes for one that ${reason}`);
    const { fields } = await chain.server.log.waitFor("agent refused", before);
    assert.equal(fields["code"], "peer_rejected");
    assert.match(String(fields["reason"]), reason);
    assert.equal((await health(chain)).connections, 0);
  }
  await chain.startAgent();
  await eventually("who should come in does", async () => assert.equal((await health(chain)).connections, 1));
  await chain.finish();
});

/** Servers that no agent may talk to, and what it says of each. */
const IMPOSTORS: [string, (pki: TestPki, other: TestPki) => Promise<CertifiedKey>, RegExp][] = [
  [
    "of a root that the machine believes",
    (_, other) => other.serverKey(),
    /was issued by CN=Public Root, not by/,
  ],
  ["whose certificate expired", (pki) => pki.serverKey(EXPIRED), /expired at /],
  ["whose certificate is not valid yet", (pki) => pki.serverKey(NOT_YET_VALID), /is not valid before /],
  [
    "with a client's certificate",
    (pki) => pki.serverKey({ usages: ["clientAuth"] }),
    /is not for serverAuth/,
  ],
  [
    "of another name",
    (pki) => pki.serverKey({ alternativeNames: [{ type: "dns", value: "elsewhere" }] }),
    /is not for "sallyport-server": it carries "elsewhere"$/,
  ],
];

for (const [who, keyOf, reason] of IMPOSTORS) {
  Deno.test(`the agent refuses a server ${who}`, async () => {
    const pki = await TestPki.create();
    const publicRoot = await TestPki.create("Public Root");
    let secured = 0;
    const impostor = createServer(
      { ...await keyOf(pki, publicRoot), ca: pki.ca, requestCert: true },
      (socket) => {
        socket.on("error", () => {}).on("data", () => secured++);
      },
    );
    await using listening = await serve(impostor);
    await using chain = await chainOf(pki, { server_port: listening.port });
    await chain.startAgent(await believingRoot(chain, publicRoot.ca));
    const { fields } = await chain.agent.log.waitFor("connecting failed");
    assert.equal(fields["code"], "peer_rejected");
    assert.match(String(fields["reason"]), reason);
    assert.equal((await agentStatus(chain)).state, "failed");
    assert.equal((await chain.agent.stop()).code, 0);
    assert.equal(secured, 0, "the agent sent something");
  });
}

for (const part of ["server", "agent"] as const) {
  Deno.test(`the ${part} does not start with a CA file of which an entry cannot be read`, async () => {
    await using chain = await Chain.prepare();
    const broken = "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n";
    const ca = await Deno.readTextFile(`${chain.dir}/certs/ca.crt`);
    await replaceFile(chain, "ca.crt", ca + broken);
    const own = part === "server" ? "server" : "client";
    const env = {
      SALLYPORT_CERT_FILE: `${chain.dir}/certs/${own}.crt`,
      SALLYPORT_KEY_FILE: `${chain.dir}/certs/${own}.key`,
      SALLYPORT_CA_CERT_FILE: `${chain.dir}/certs/ca.crt`,
      ...(part === "agent" ? { SALLYPORT_SERVER_IP: "127.0.0.1" } : {}),
    };
    await using program = await startProgram(part, [], { env });
    assert.equal((await within(10_000, program.ended, "its end")).code, 1);
    assert.match(
      program.log.text,
      /: Cannot use CA certificate .*ca\.crt: entry 2 cannot be read as a certificate\n$/,
    );
  });
}

Deno.test({
  name: `the server refuses sessions that are resumed${noOpenssl ? `: ${noOpenssl}` : ""}`,
  ignore: noOpenssl !== undefined,
  async fn() {
    await using chain = await Chain.prepare();
    await chain.startServer();
    const { dir, serverPort } = chain;
    const own = ["-cert", `${dir}/certs/client.crt`, "-key", `${dir}/certs/client.key`];
    const ticket = `${dir}/ticket`;
    assert.equal((await sClient(serverPort, [...own, "-sess_out", ticket])).resumed, false);
    await chain.server.log.waitFor("agent disconnected");
    for (const args of [[], own]) {
      const before = chain.server.log.lines.length;
      const { resumed, text } = await sClient(serverPort, ["-sess_in", ticket, ...args]);
      assert.equal(resumed, true, text);
      const { fields } = await chain.server.log.waitFor("agent refused", before);
      assert.match(String(fields["reason"]), /it resumed an earlier session/);
    }
    assert.equal((await health(chain)).connections, 0);
    assert.equal((await chain.server.stop()).code, 0);
  },
});

/** Bytes of a P-256 public key, which stands last in a private key's PKCS #8 form (RFC 5915). */
const POINT = 65;

/** A key that programs take for that of the certificate, since it has the public half, and that signs as another. */
function falseKey(certificate: CertifiedKey, other: CertifiedKey): string {
  const [shown, used] = [certificate, other].map(({ key }) => pemBlocks(key, "PRIVATE KEY")[0]!);
  used!.set(shown!.subarray(-POINT), used!.length - POINT);
  return toPem(used!, "PRIVATE KEY");
}

Deno.test({
  name: `the server refuses who shows another's certificate without its key${
    noOpenssl ? `: ${noOpenssl}` : ""
  }`,
  ignore: noOpenssl !== undefined,
  async fn() {
    const pki = await TestPki.create();
    await using chain = await chainOf(pki);
    await chain.startServer();
    const [owner, thief] = [await pki.clientKey(), await pki.clientKey()];
    const files = {
      cert: `${chain.dir}/shown.crt`,
      key: `${chain.dir}/used.key`,
      ticket: `${chain.dir}/ticket`,
    };
    await Deno.writeTextFile(files.cert, owner.cert);
    const knock = async (key: string, message: string) => {
      await Deno.writeTextFile(files.key, key);
      await sClient(chain.serverPort, ["-cert", files.cert, "-key", files.key, "-sess_out", files.ticket]);
      return await chain.server.log.waitFor(message);
    };
    // That it gets so far shows that nothing but the key is wrong below.
    await knock(owner.key, "agent disconnected");
    const { fields } = await knock(falseKey(owner, thief), "agent refused");
    assert.equal(fields["code"], "peer_rejected");
    assert.equal((await chain.server.stop()).code, 0);
  },
});
