/**
 * Purpose: the real server refuses clients, and the real agent refuses servers, with a wrong certificate, even one from
 * a public CA that the machine trusts.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:tls";
import type { CertifiedKey } from "../../../agent/certs/authority/certificate_authority.ts";
import { decodePem, encodePem } from "../../../shared/pki/x509/pem.ts";
import { Chain } from "../../support/programs/chain.ts";
import { replaceFile } from "../../support/programs/chain_authority.ts";
import { eventually } from "../../support/eventually.ts";
import { noOpenssl } from "../../support/pki/openssl.ts";
import { EXPIRED, NOT_YET_VALID, TEST_SERVER_NAME, TestPki } from "../../support/pki/pki.ts";
import { startProgram } from "../../support/programs/programs.ts";
import { sClient } from "../../support/pki/s_client.ts";
import { believing } from "../../support/origins/public_root.ts";
import { serve } from "../../support/pki/serving.ts";
import { within } from "../../support/within.ts";
import { agentStatus, health } from "../../support/programs/status.ts";

/** Gives a chain a CA of the test, which can issue certificates that no tool would. */
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

/** Environment in which the runtime trusts this root CA. */
async function believingRoot(chain: Chain, root: string): Promise<Record<string, string>> {
  const file = `${chain.dir}/public.crt`;
  await Deno.writeTextFile(file, root);
  return believing(file);
}

/** Connects to the server with a certificate or none; returns the bytes received before the connection ends. */
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
  // A hello and a request that the server must not answer.
  socket.on("secureConnect", () => socket.write(new Uint8Array(1_000)));
  await within(5_000, once(socket, "close"), "the server hangs up");
  return bytes;
}

Deno.test("the server refuses every client with an invalid certificate", async () => {
  const pki = await TestPki.create();
  const publicRoot = await TestPki.create("Public Root");
  await using chain = await chainOf(pki);
  await chain.startServer(await believingRoot(chain, publicRoot.ca));
  const clients: [CertifiedKey | undefined, RegExp][] = [
    [undefined, /it presented no certificate$/],
    [await (await TestPki.create("Rogue CA")).clientKey(), /was issued by CN=Rogue CA, not by CN=Test CA$/],
    [await (await TestPki.create("Test CA")).clientKey(), /was issued by another CN=Test CA, not by the one/],
    [await publicRoot.clientKey(), /was issued by CN=Public Root, not by CN=Test CA$/],
    [await pki.clientKey(EXPIRED), /expired on /],
    [await pki.clientKey(NOT_YET_VALID), /is not valid before /],
    [await pki.serverKey(), /is not for clientAuth/],
    [await pki.clientKey({ usages: [] }), /is not for clientAuth/],
  ];
  for (const [key, reason] of clients) {
    const before = chain.server.log.lines.length;
    assert.equal(await intrude(chain, pki.ca, key), 0, `bytes for one that ${reason}`);
    const { fields } = await chain.server.log.waitFor("agent refused", before);
    assert.equal(fields["code"], "peer_rejected");
    assert.match(String(fields["error"]), reason);
    assert.equal((await health(chain)).connections, 0);
  }
  await chain.startAgent();
  await eventually(
    "the right agent connects",
    async () => assert.equal((await health(chain)).connections, 1),
  );
  await chain.finish();
});

/** Servers that every agent must refuse, and the reason that it logs. */
const IMPOSTORS: [string, (pki: TestPki, other: TestPki) => Promise<CertifiedKey>, RegExp][] = [
  [
    "of a public CA that the machine trusts",
    (_, other) => other.serverKey(),
    /was issued by CN=Public Root, not by/,
  ],
  ["whose certificate expired", (pki) => pki.serverKey(EXPIRED), /expired on /],
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
    const { fields } = await chain.agent.log.waitFor("connection failed");
    assert.equal(fields["code"], "peer_rejected");
    assert.match(String(fields["error"]), reason);
    assert.equal((await agentStatus(chain)).state, "failed");
    assert.equal((await chain.agent.stop()).code, 0);
    assert.equal(secured, 0, "the agent sent something");
  });
}

for (const part of ["server", "agent"] as const) {
  Deno.test(`the ${part} does not start with an unreadable entry in its CA file`, async () => {
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
  name: `the server refuses resumed sessions${noOpenssl ? `: ${noOpenssl}` : ""}`,
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
      assert.match(String(fields["error"]), /it resumed an earlier TLS session/);
    }
    assert.equal((await health(chain)).connections, 0);
    assert.equal((await chain.server.stop()).code, 0);
  },
});

/** Bytes of a P-256 public key, at the end of a PKCS #8 private key (RFC 5915). */
const POINT = 65;

/** A key with the public half of the certificate's key and the private half of another. */
function falseKey(certificate: CertifiedKey, other: CertifiedKey): string {
  const [shown, used] = [certificate, other].map(({ key }) =>
    decodePem({ bytes: new TextEncoder().encode(key), name: "key" }, "PRIVATE KEY")[0]!
  );
  used!.set(shown!.subarray(-POINT), used!.length - POINT);
  return encodePem(used!, "PRIVATE KEY");
}

Deno.test({
  name: `the server refuses a client with another's certificate but not its key${
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
    // Shows that only the key is wrong below.
    await knock(owner.key, "agent disconnected");
    const { fields } = await knock(falseKey(owner, thief), "agent refused");
    assert.equal(fields["code"], "peer_rejected");
    assert.equal((await chain.server.stop()).code, 0);
  },
});
