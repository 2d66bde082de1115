import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { CertifiedKey } from "../../agent/certs/authority.ts";
import { countChecks } from "../../tests/support/made_certificate.ts";
import { TestPki } from "../../tests/support/pki.ts";
import { testCrl } from "../../tests/support/test_crl.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { revocationOf } from "./revocation.ts";
import { identityOf } from "./identity_of.ts";
import { judgeAgain, type JudgedSocket, judgePeer } from "./peer.ts";

/** A socket whose handshake says what a test wants it to say. */
function socketOf({ cert }: CertifiedKey, changes: Partial<JudgedSocket> = {}): JudgedSocket {
  const presented = { ...new X509Certificate(cert).toLegacyObject(), issuerCertificate: undefined };
  return {
    authorized: true,
    authorizationError: undefined as unknown as Error,
    getPeerCertificate: (() => presented) as unknown as JudgedSocket["getPeerCertificate"],
    getProtocol: () => "TLSv1.3",
    isSessionReused: () => false,
    ...changes,
  };
}

async function setUp() {
  const pki = await TestPki.create();
  const authorities = [new X509Certificate(pki.ca)];
  return { pki, rule: { authorities, usage: "clientAuth" } as const, client: await pki.clientKey() };
}

Deno.test("judgePeer tells who the peer is", async () => {
  const { rule, client } = await setUp();
  const certificate = new X509Certificate(client.cert);
  const { chain, ...peer } = judgePeer(socketOf(client), rule);
  assert.deepEqual(chain.map(({ fingerprint256 }) => fingerprint256), [certificate.fingerprint256]);
  assert.deepEqual(peer, {
    commonName: "test-client",
    names: { dns: [], uris: [], addresses: [] },
    serial: certificate.serialNumber,
    fingerprint: identityOf(certificate),
    notAfter: new Date(certificate.validTo),
  });
});

Deno.test("judgePeer refuses a resumed handshake, however good it looks", async () => {
  const { rule, client } = await setUp();
  const socket = socketOf(client, { isSessionReused: () => true });
  assert.throws(() => judgePeer(socket, rule), withReason("peer_rejected", /resumed an earlier session/));
});

Deno.test("judgePeer refuses what the runtime did not accept, though it sees nothing wrong", async () => {
  const { rule, client } = await setUp();
  const error = "SOME_REASON" as unknown as Error;
  const socket = socketOf(client, { authorized: false, authorizationError: error });
  assert.throws(() => judgePeer(socket, rule), withReason("peer_rejected", /was not accepted: SOME_REASON$/));
});

Deno.test("judgePeer refuses a foreign certificate that the runtime accepted", async () => {
  const { rule } = await setUp();
  const other = await TestPki.create("Other CA");
  const socket = socketOf(await other.clientKey());
  assert.throws(() => judgePeer(socket, rule), withReason("peer_rejected", /was issued by CN=Other CA/));
});

Deno.test("judgePeer refuses a peer that the runtime accepted without a certificate", async () => {
  const { rule, client } = await setUp();
  for (const nothing of [{}, null, undefined, { subject: { CN: "admin" } }]) {
    const getPeerCertificate = (() => nothing) as unknown as JudgedSocket["getPeerCertificate"];
    const socket = socketOf(client, { getPeerCertificate });
    assert.throws(() => judgePeer(socket, rule), withReason("peer_rejected", /it presented no certificate$/));
  }
});

Deno.test("judgePeer refuses TLS before 1.3", async () => {
  const { rule, client } = await setUp();
  const socket = socketOf(client, { getProtocol: () => "TLSv1.2" });
  assert.throws(
    () => judgePeer(socket, rule),
    withReason("peer_rejected", /it speaks TLSv1\.2, not TLSv1\.3$/),
  );
});

Deno.test("judgePeer takes the common name as it stands in the certificate", async () => {
  const { pki, rule } = await setUp();
  const socket = socketOf(await pki.clientKey({ commonName: "x, CN=admin" }));
  assert.equal(judgePeer(socket, rule).commonName, "x, CN=admin");
});

Deno.test("judgePeer refuses a revoked peer, and judgeAgain one that was let in before", async () => {
  const { pki, rule, client } = await setUp();
  const peer = judgePeer(socketOf(client), rule);
  assert.equal(judgeAgain(peer, rule), undefined);
  const bytes = await testCrl(pki.authority.files, { revoked: [client.cert] });
  const revocation = revocationOf({ bytes, name: "list" }, rule.authorities, new Date());
  const reason = /: its certificate \(CN=test-client\) was revoked \(serial [0-9A-F]+\)$/;
  assert.throws(
    () => judgePeer(socketOf(client), { ...rule, revocation }),
    withReason("peer_rejected", reason),
  );
  withReason("peer_rejected", reason)(judgeAgain(peer, { ...rule, revocation }));
});

Deno.test("judgeAgain refuses a peer of a CA that is believed no more", async () => {
  const { rule, client } = await setUp();
  const peer = judgePeer(socketOf(client), rule);
  const authorities = [new X509Certificate((await TestPki.create("Other CA")).ca)];
  const reason = /^Cannot keep the connection: .* was issued by CN=Test CA, not by CN=Other CA$/;
  withReason("peer_rejected", reason)(judgeAgain(peer, { ...rule, authorities }));
});

/** A socket of which the runtime has a chain of so many copies of a certificate. */
function socketOfMany(key: CertifiedKey, count: number, changes: Partial<JudgedSocket> = {}): JudgedSocket {
  const { raw } = new X509Certificate(key.cert);
  const certificates = Array.from({ length: count }, () => raw);
  return {
    ...socketOf(key, { getPeerCertificate: () => assert.fail("parsed the chain"), ...changes }),
    ...{ _handle: { getPeerCertificateChain: () => ({ certificates }) } },
  };
}

Deno.test("judgePeer refuses a chain of more than four before it parses it, though the runtime accepted it", async () => {
  const { rule, client } = await setUp();
  const reason = /: its certificate came in a chain of 210 certificates, and at most 4 are accepted$/;
  assert.throws(() => judgePeer(socketOfMany(client, 210), rule), withReason("peer_rejected", reason));
  assert.equal(judgePeer(socketOfMany(client, 4), rule).commonName, "test-client");
});

Deno.test("judgePeer checks no signature for a peer that the runtime refused", async () => {
  const { rule, client } = await setUp();
  const error = "SOME_REASON" as unknown as Error;
  const changes = { authorized: false, authorizationError: error };
  const checks = await countChecks(() => {
    assert.throws(() => judgePeer(socketOfMany(client, 4, changes), rule), /was not accepted: SOME_REASON$/);
  });
  assert.equal(checks, 0);
});
