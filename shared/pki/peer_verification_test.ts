import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { CertifiedKey } from "../../agent/certs/authority/certificate_authority.ts";
import { countChecks } from "../../tests/support/pki/made_certificate.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { testCrl } from "../../tests/support/pki/test_crl.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { loadRevocationLists } from "./load_revocation_lists.ts";
import { clientIdentity, type HandshakeSocket, revalidatePeer, verifyPeer } from "./peer_verification.ts";

/** A socket with the handshake that a test needs. */
function socketOf({ cert }: CertifiedKey, changes: Partial<HandshakeSocket> = {}): HandshakeSocket {
  const presented = { ...new X509Certificate(cert).toLegacyObject(), issuerCertificate: undefined };
  return {
    authorized: true,
    authorizationError: undefined as unknown as Error,
    getPeerCertificate: (() => presented) as unknown as HandshakeSocket["getPeerCertificate"],
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

Deno.test("verifyPeer returns the identity of the peer", async () => {
  const { rule, client } = await setUp();
  const certificate = new X509Certificate(client.cert);
  const { chain, ...peer } = verifyPeer(socketOf(client), rule);
  assert.deepEqual(chain.map(({ fingerprint256 }) => fingerprint256), [certificate.fingerprint256]);
  assert.deepEqual(peer, {
    commonName: "test-client",
    names: { dns: [], uris: [], addresses: [] },
    serial: certificate.serialNumber,
    identity: clientIdentity(certificate),
    notAfter: new Date(certificate.validTo),
  });
});

Deno.test("verifyPeer refuses a resumed handshake with a valid certificate", async () => {
  const { rule, client } = await setUp();
  const socket = socketOf(client, { isSessionReused: () => true });
  assert.throws(
    () => verifyPeer(socket, rule),
    withReason("peer_rejected", /resumed an earlier TLS session/),
  );
});

Deno.test("verifyPeer refuses a valid certificate that the runtime refused", async () => {
  const { rule, client } = await setUp();
  const error = "SOME_REASON" as unknown as Error;
  const socket = socketOf(client, { authorized: false, authorizationError: error });
  assert.throws(
    () => verifyPeer(socket, rule),
    withReason("peer_rejected", /was not accepted: SOME_REASON$/),
  );
});

Deno.test("verifyPeer refuses a foreign certificate that the runtime accepted", async () => {
  const { rule } = await setUp();
  const other = await TestPki.create("Other CA");
  const socket = socketOf(await other.clientKey());
  assert.throws(() => verifyPeer(socket, rule), withReason("peer_rejected", /was issued by CN=Other CA/));
});

Deno.test("verifyPeer refuses a peer that the runtime accepted without a certificate", async () => {
  const { rule, client } = await setUp();
  for (const nothing of [{}, null, undefined, { subject: { CN: "admin" } }]) {
    const getPeerCertificate = (() => nothing) as unknown as HandshakeSocket["getPeerCertificate"];
    const socket = socketOf(client, { getPeerCertificate });
    assert.throws(
      () => verifyPeer(socket, rule),
      withReason("peer_rejected", /it presented no certificate$/),
    );
  }
});

Deno.test("verifyPeer refuses TLS before 1.3", async () => {
  const { rule, client } = await setUp();
  const socket = socketOf(client, { getProtocol: () => "TLSv1.2" });
  assert.throws(
    () => verifyPeer(socket, rule),
    withReason("peer_rejected", /it uses TLSv1\.2, not TLSv1\.3$/),
  );
});

Deno.test("verifyPeer keeps the common name as it is in the certificate", async () => {
  const { pki, rule } = await setUp();
  const socket = socketOf(await pki.clientKey({ commonName: "x, CN=admin" }));
  assert.equal(verifyPeer(socket, rule).commonName, "x, CN=admin");
});

Deno.test("verifyPeer refuses a revoked peer, and revalidatePeer one accepted earlier", async () => {
  const { pki, rule, client } = await setUp();
  const peer = verifyPeer(socketOf(client), rule);
  assert.equal(revalidatePeer(peer, rule), undefined);
  const bytes = await testCrl(pki.authority.files, { revoked: [client.cert] });
  const revocation = loadRevocationLists({ bytes, name: "list" }, rule.authorities, new Date());
  const reason = /: its certificate \(CN=test-client\) was revoked \(serial [0-9A-F]+\)$/;
  assert.throws(
    () => verifyPeer(socketOf(client), { ...rule, revocation }),
    withReason("peer_rejected", reason),
  );
  withReason("peer_rejected", reason)(revalidatePeer(peer, { ...rule, revocation }));
});

Deno.test("revalidatePeer refuses a peer of a CA that is no longer trusted", async () => {
  const { rule, client } = await setUp();
  const peer = verifyPeer(socketOf(client), rule);
  const authorities = [new X509Certificate((await TestPki.create("Other CA")).ca)];
  const reason = /^Cannot keep the connection: .* was issued by CN=Test CA, not by CN=Other CA$/;
  withReason("peer_rejected", reason)(revalidatePeer(peer, { ...rule, authorities }));
});

/** A socket whose runtime handle has a chain of `count` copies of a certificate. */
function socketOfMany(
  key: CertifiedKey,
  count: number,
  changes: Partial<HandshakeSocket> = {},
): HandshakeSocket {
  const { raw } = new X509Certificate(key.cert);
  const certificates = Array.from({ length: count }, () => raw);
  return {
    ...socketOf(key, { getPeerCertificate: () => assert.fail("parsed the chain"), ...changes }),
    ...{ _handle: { getPeerCertificateChain: () => ({ certificates }) } },
  };
}

Deno.test("verifyPeer refuses a chain of more than four without parsing it, even if the runtime accepted it", async () => {
  const { rule, client } = await setUp();
  const reason = /: its certificate came in a chain of 210 certificates, and at most 4 are accepted$/;
  assert.throws(() => verifyPeer(socketOfMany(client, 210), rule), withReason("peer_rejected", reason));
  assert.equal(verifyPeer(socketOfMany(client, 4), rule).commonName, "test-client");
});

Deno.test("verifyPeer checks no signature for a peer that the runtime refused", async () => {
  const { rule, client } = await setUp();
  const error = "SOME_REASON" as unknown as Error;
  const changes = { authorized: false, authorizationError: error };
  const checks = await countChecks(() => {
    assert.throws(() => verifyPeer(socketOfMany(client, 4, changes), rule), /was not accepted: SOME_REASON$/);
  });
  assert.equal(checks, 0);
});
