import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect } from "node:tls";
import { EXPIRED, NOT_YET_VALID, TEST_SERVER_NAME, TestPki } from "../../tests/support/pki/pki.ts";
import { destroyed, TestListener } from "../../tests/support/pki/tls_pair.ts";
import { within } from "../../tests/support/within.ts";
import { clientIdentity } from "../pki/peer_verification.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import type { Identity } from "../pki/identity/identity.ts";

Deno.test("listenTls and dialTls accept and identify each other", async () => {
  const pki = await TestPki.create();
  const [server, client] = [await pki.server(), await pki.client()];
  await using test = await TestListener.start(server);
  for (let round = 0; round < 3; round++) {
    const dialled = await test.dial(client);
    const { socket, peer } = await test.accepted();
    assert.equal(dialled.peer.commonName, TEST_SERVER_NAME);
    assert.equal(dialled.peer.identity, clientIdentity(server.chain[0]!));
    assert.equal(peer.commonName, "test-client");
    assert.equal(peer.serial, client.chain[0]!.serialNumber);
    assert.equal(peer.identity, clientIdentity(client.chain[0]!));
    assert.equal(peer.notAfter.getTime(), Date.parse(client.chain[0]!.validTo));
    assert.equal(socket.getProtocol(), "TLSv1.3");
    assert.equal(dialled.socket.alpnProtocol, "http/1.1");
    assert.equal(test.listener.connectionCount, 1);
    await destroyed(dialled.socket);
    await destroyed(socket);
    assert.equal(test.listener.connectionCount, 0);
  }
});

/** Refusals of the listener: who dials, and what is said of it. The dialer's own end must not know better. */
const STRANGERS: [string, (pki: TestPki) => Promise<Identity>, RegExp][] = [
  [
    "of another CA",
    async (pki) => await pki.forged(await (await TestPki.create("Rogue CA")).clientKey()),
    /: its certificate \(CN=test-client\) was issued by CN=Rogue CA, not by CN=Test CA$/,
  ],
  [
    "of a CA with the same name",
    async (pki) => await pki.forged(await (await TestPki.create()).clientKey()),
    /: its certificate \(CN=test-client\) was issued by another CN=Test CA, not by the one trusted here$/,
  ],
  [
    "whose certificate expired",
    async (pki) => await pki.forged(await pki.clientKey(EXPIRED)),
    /: its certificate \(CN=test-client\) expired on [-\dT:.]+Z; renew it with "npx .* certs renew", or correct the clock of this machine$/,
  ],
  [
    "whose certificate is not valid yet",
    async (pki) => await pki.forged(await pki.clientKey(NOT_YET_VALID)),
    /: its certificate \(CN=test-client\) is not valid before [-\dT:.]+Z; correct the clock of this machine$/,
  ],
  [
    "with a server's certificate",
    async (pki) => await pki.forged(await pki.serverKey()),
    /: its certificate \(CN=sallyport-server\) is not for clientAuth \(extended key usage\)$/,
  ],
  [
    "with a certificate for no use",
    async (pki) => await pki.forged(await pki.clientKey({ usages: [] })),
    /: its certificate \(CN=test-client\) is not for clientAuth \(extended key usage\)$/,
  ],
];

for (const [who, stranger, reason] of STRANGERS) {
  Deno.test(`listenTls refuses a client ${who}`, async () => {
    const pki = await TestPki.create();
    await using test = await TestListener.start(await pki.server());
    const { socket } = await test.dial(await stranger(pki));
    const ended = once(socket.resume(), "close");
    const refusal = await test.refused();
    withReason("peer_rejected", reason)(refusal.reason);
    assert.equal(refusal.remote, "127.0.0.1");
    await within(5_000, ended, "the connection ends");
    assert.equal(test.listener.connectionCount, 0);
  });
}

Deno.test("listenTls refuses a client without a certificate", async () => {
  const pki = await TestPki.create();
  await using test = await TestListener.start(await pki.server());
  const { ca } = await pki.client();
  const { port } = test.listener.address;
  const socket = connect({ host: "127.0.0.1", port, servername: TEST_SERVER_NAME, ca });
  const ended = once(socket.resume(), "close");
  withReason("peer_rejected", /: it presented no certificate$/)((await test.refused()).reason);
  await within(5_000, ended, "the connection ends");
});

Deno.test("listenTls refuses TLS 1.2", async () => {
  const pki = await TestPki.create();
  await using test = await TestListener.start(await pki.server());
  const { ca, cert, key } = await pki.client();
  const { port } = test.listener.address;
  const versions = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: TEST_SERVER_NAME,
    ca,
    cert,
    key,
    ...versions,
  });
  const failed = once(socket, "error");
  const { reason, remote } = await test.refused();
  withReason("tunnel_down", /TLSv1\.3 is required$/)(reason);
  assert.equal(remote, "127.0.0.1");
  await failed;
  await destroyed(socket);
});

Deno.test("listenTls reports a connection without TLS once", async () => {
  const pki = await TestPki.create();
  await using test = await TestListener.start(await pki.server());
  const socket = connectTcp({ host: "127.0.0.1", port: test.listener.address.port });
  socket.on("error", () => {});
  const ended = once(socket.resume(), "close");
  socket.write("GET / HTTP/1.1\r\n\r\n");
  const { reason, remote } = await test.refused();
  withReason("tunnel_down", /: the other end does not speak TLS$/)(reason);
  assert.equal(remote, "127.0.0.1");
  await within(5_000, ended, "the connection ends");
});

Deno.test("listenTls closes a handshake that takes too long", async () => {
  const pki = await TestPki.create();
  await using test = await TestListener.start(await pki.server(), { handshakeTimeoutMs: 50 });
  const socket = connectTcp({ host: "127.0.0.1", port: test.listener.address.port });
  const ended = once(socket.resume(), "close");
  const { reason, remote } = await test.refused();
  withReason("tunnel_down", /^Cannot finish the handshake: not finished in 50 ms$/)(reason);
  assert.equal(remote, "127.0.0.1");
  await within(5_000, ended, "the connection ends");
});

Deno.test("listenTls names a port that is in use", async () => {
  const pki = await TestPki.create();
  const identity = await pki.server();
  await using test = await TestListener.start(identity);
  const { port } = test.listener.address;
  const taken = new RegExp(`^Cannot listen on 127.0.0.1:${port}: the port is in use by another program$`);
  await assert.rejects(TestListener.start(identity, { port }), withReason("internal", taken));
});

Deno.test("close frees the port, ends handshakes and leaves connections open", async () => {
  const pki = await TestPki.create();
  const [server, client] = [await pki.server(), await pki.client()];
  await using test = await TestListener.start(server);
  const { port } = test.listener.address;
  const { socket } = await test.dial(client);
  const accepted = await test.accepted();
  const silent = connectTcp({ host: "127.0.0.1", port });
  const cut = once(silent.resume(), "close");
  await once(silent, "connect");
  await test.listener.close();
  await within(5_000, cut, "the handshake is cut");
  await using again = await TestListener.start(server, { port });
  assert.equal(again.listener.address.port, port);
  accepted.socket.write("still here");
  assert.equal(String((await within(5_000, once(socket, "data"), "data"))[0]), "still here");
  await destroyed(socket);
});

Deno.test("listenTls uses a new identity for later handshakes, and open connections stay", async () => {
  const pki = await TestPki.create();
  const other = await TestPki.create("Other CA");
  const [oldClient, newClient] = [await pki.client(), await other.client()];
  await using test = await TestListener.start(await pki.server());
  const before = await test.dial(oldClient);
  const accepted = await test.accepted();
  const renewed = await other.server();
  test.listener.use(renewed);

  await assert.rejects(
    test.dial(oldClient),
    withReason("peer_rejected", /was issued by CN=Other CA, not by/),
  );
  // It would not show its certificate to such a server, but a stranger might not be so shy.
  const shameless = await test.dial({ ...oldClient, ca: renewed.ca, authorities: renewed.authorities });
  const ended = once(shameless.socket.resume(), "close");
  for (let refusals = 0;; refusals++) {
    assert.ok(refusals < 3);
    const { reason } = await test.refused();
    if (reason.message.includes("was issued by CN=Test CA, not by CN=Other CA")) break;
  }
  await within(5_000, ended, "the connection ends");

  const after = await test.dial(newClient);
  assert.equal(after.peer.identity, clientIdentity(renewed.chain[0]!));
  assert.equal(after.socket.alpnProtocol, "http/1.1");
  const { peer } = await test.accepted();
  assert.equal(peer.identity, clientIdentity(newClient.chain[0]!));
  accepted.socket.write("still here");
  assert.equal(String((await within(5_000, once(before.socket, "data"), "data"))[0]), "still here");
  for (const { socket } of [before, after]) await destroyed(socket);
});

Deno.test("listenTls refuses TLS 1.2 also after a new identity", async () => {
  const pki = await TestPki.create();
  await using test = await TestListener.start(await pki.server());
  test.listener.use(await pki.server());
  const { ca, cert, key } = await pki.client();
  const versions = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
  const { port } = test.listener.address;
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: TEST_SERVER_NAME,
    ca,
    cert,
    key,
    ...versions,
  });
  const failed = once(socket, "error");
  withReason("tunnel_down", /TLSv1\.3 is required$/)((await test.refused()).reason);
  await failed;
  await destroyed(socket);
});
