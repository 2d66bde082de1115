import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { confusingChain, countChecks } from "../../tests/support/pki/made_certificate.ts";
import { EXPIRED, TEST_SERVER_NAME, TestPki } from "../../tests/support/pki/pki.ts";
import { serve } from "../../tests/support/pki/serving.ts";
import { destroyed, TestListener } from "../../tests/support/pki/tls_pair.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { type DialOptions, dialTls, type Route } from "./dial.ts";
import type { Identity } from "../pki/identity/identity.ts";

/** Refusals of the dialer: who listens, and what is said of it. */
const IMPOSTORS: [string, (pki: TestPki) => Promise<Identity>, RegExp][] = [
  [
    "of another CA, naming the issuer that it saw",
    async (pki) => await pki.forged(await (await TestPki.create("Proxy CA")).serverKey()),
    /: the server's certificate \(CN=sallyport-server\) was issued by CN=Proxy CA, not by CN=Test CA; .* something on the path intercepts TLS: the issuer shows which$/,
  ],
  [
    "whose certificate expired",
    async (pki) => await pki.forged(await pki.serverKey(EXPIRED)),
    /: the server's certificate \(CN=sallyport-server\) expired on [-\dT:.]+Z; renew it with "npx .* certs renew", or correct the clock of this machine$/,
  ],
  [
    "with a client's certificate",
    async (pki) => await pki.forged(await pki.serverKey({ usages: ["clientAuth"] })),
    /: the server's certificate \(CN=sallyport-server\) is not for serverAuth \(extended key usage\)$/,
  ],
  [
    "with a certificate for no use",
    async (pki) => await pki.forged(await pki.serverKey({ usages: [] })),
    /: its certificate \(CN=sallyport-server\) is not for serverAuth \(extended key usage\)$/,
  ],
  [
    "of another name",
    async (pki) => await pki.forged(await pki.serverKey({ alternativeNames: [{ type: "dns", value: "b" }] })),
    /: its certificate \(CN=sallyport-server\) is not for "sallyport-server": it carries "b"$/,
  ],
  [
    "that has its name only as a common name",
    async (pki) => await pki.forged(await pki.serverKey({ alternativeNames: [] })),
    /: its certificate \(CN=sallyport-server\) is not for "sallyport-server": it carries no alternative name$/,
  ],
];

for (const [who, impostor, reason] of IMPOSTORS) {
  Deno.test(`dialTls refuses a server ${who}`, async () => {
    const pki = await TestPki.create();
    await using test = await TestListener.start(await impostor(pki));
    await assert.rejects(test.dial(await pki.client()), withReason("peer_rejected", reason));
  });
}

Deno.test("dialTls checks no signature of a server of another CA, even with many certificates", async () => {
  const [pki, client] = [await TestPki.create(), await (await TestPki.create("Other CA")).client()];
  const impostor = { ...await pki.server(), ...await confusingChain(210, "CN=x") };
  await using test = await TestListener.start(impostor);
  const checks = await countChecks(() =>
    assert.rejects(
      test.dial(client),
      withReason("peer_rejected", /\(CN=x\) was issued by CN=x, not by CN=Other CA/),
    )
  );
  assert.equal(checks, 0);
});

Deno.test("dialTls survives a server that presents bytes that are not a certificate", async () => {
  const pki = await TestPki.create("Other CA");
  const { cert, key } = await pki.serverKey();
  const junk = `-----BEGIN CERTIFICATE-----\n${btoa("no certificate")}\n-----END CERTIFICATE-----\n`;
  await using listening = await serve(createTlsServer({ cert: cert + junk, key }));
  const reason = /was not accepted|was issued by CN=Other CA/;
  await assert.rejects(dialPort(await TestPki.create(), listening.port), withReason("peer_rejected", reason));
});

Deno.test("dialTls does not present its certificate to a server of another CA", async () => {
  const pki = await TestPki.create();
  const other = await TestPki.create("Proxy CA");
  // It asks every client for a certificate, and would accept ours.
  const proxy = { ...await pki.server(), ...await other.serverKey() };
  await using test = await TestListener.start(proxy);
  await assert.rejects(test.dial(await pki.client()), withReason("peer_rejected", /issued by CN=Proxy CA/));
  const reasons = [await test.refused(), await test.refused()].map(({ reason }) => reason.message);
  assert.ok(reasons.some((reason) => /it presented no certificate|the peer did not accept/.test(reason)));
  assert.equal(reasons.some((reason) => reason.includes("test-client")), false, reasons.join());
  assert.equal(test.listener.connectionCount, 0);
});

Deno.test("dialTls refuses a server with TLS 1.2", async () => {
  const pki = await TestPki.create();
  const { cert, key, ca } = await pki.server();
  const server = createTlsServer({ cert, key, ca, maxVersion: "TLSv1.2" });
  await using listening = await serve(server);
  await assert.rejects(dialPort(pki, listening.port), withReason("tunnel_down", /TLSv1\.3 is required$/));
});

Deno.test("dialTls verifies one name and sends another", async () => {
  const pki = await TestPki.create();
  await using test = await TestListener.start(await pki.server());
  const { socket } = await test.dial(await pki.client(), { sni: "www.example.org" });
  const accepted = await test.accepted();
  assert.equal((accepted.socket as { servername?: string }).servername, "www.example.org");
  await destroyed(socket);
});

Deno.test("dialTls sends no name when it is an address, and verifies the address", async () => {
  const pki = await TestPki.create();
  const key = await pki.serverKey({ alternativeNames: [{ type: "ip", value: "192.0.2.1" }] });
  await using test = await TestListener.start(await pki.identity(key));
  const client = await pki.client();
  const { socket } = await test.dial(client, { sni: "192.0.2.1", serverName: "192.0.2.1" });
  await destroyed(socket);
  const other = { sni: "192.0.2.2", serverName: "192.0.2.2" };
  await assert.rejects(test.dial(client, other), withReason("peer_rejected", /it carries "192\.0\.2\.1"$/));
});

Deno.test("dialTls reports why nothing answers", async () => {
  const pki = await TestPki.create();
  const closed = await serve(createServer());
  await closed[Symbol.asyncDispose]();
  const refused = new RegExp(`^Cannot connect to 127.0.0.1:${closed.port}: the connection was refused$`);
  await assert.rejects(dialPort(pki, closed.port), withReason("tunnel_down", refused));
});

Deno.test("dialTls reports a server without TLS, and one that closes the connection", async () => {
  const pki = await TestPki.create();
  await using plain = await serve(createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")));
  await assert.rejects(dialPort(pki, plain.port), withReason("tunnel_down", /does not speak TLS$/));
  await using rude = await serve(createServer((socket) => socket.destroy()));
  await assert.rejects(dialPort(pki, rude.port), withReason("tunnel_down", /was (reset|closed)/));
});

Deno.test("dialTls gives up at its deadline, and at once when cancelled", async () => {
  const pki = await TestPki.create();
  await using silent = await serve(createServer());
  const late = /^Cannot connect to 127\.0\.0\.1:\d+: no answer in 50 ms$/;
  await assert.rejects(dialPort(pki, silent.port, { connectTimeoutMs: 50 }), withReason("tunnel_down", late));
  const abort = new AbortController();
  const dialling = dialPort(pki, silent.port, { signal: abort.signal });
  abort.abort();
  await assert.rejects(dialling, withReason("cancelled", /it is no longer needed$/));
  await assert.rejects(
    dialPort(pki, silent.port, { signal: abort.signal }),
    withReason("cancelled", /no longer needed/),
  );
});

Deno.test("dialTls closes the connection that it made to learn why a certificate was refused, when cancelled", async () => {
  const pki = await TestPki.create();
  const impostor = await pki.forged(await (await TestPki.create("Other CA")).serverKey());
  await using test = await TestListener.start(impostor);
  const abort = new AbortController();
  const sockets: Socket[] = [];
  const via: Route = {
    name: "a test",
    async connect({ host, port }) {
      const socket = connect({ host, port });
      await once(socket, "connect");
      // The first one is refused for its certificate; the second one is there to see that certificate.
      if (sockets.push(socket) === 2) abort.abort();
      return socket;
    },
  };
  await assert.rejects(test.dial(await pki.client(), { via, signal: abort.signal }));
  assert.equal(sockets.length, 2);
  assert.equal(sockets[1]!.destroyed, true);
});

async function dialPort(pki: TestPki, port: number, options: Partial<DialOptions> = {}) {
  return await dialTls({
    host: "127.0.0.1",
    port,
    serverName: TEST_SERVER_NAME,
    sni: TEST_SERVER_NAME,
    identity: await pki.client(),
    connectTimeoutMs: 5_000,
    ...options,
  });
}
