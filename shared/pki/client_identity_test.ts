import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { withSecondSignature } from "../../tests/support/pki/second_signature.ts";
import { clientIdentity } from "./peer_verification.ts";

const pki = await TestPki.create();
const certificate = (await pki.client()).chain[0]!;

Deno.test("clientIdentity is the same for another valid signature", () => {
  const second = withSecondSignature(certificate);
  assert.ok(second.verify(new X509Certificate(pki.ca).publicKey), "the signature is valid");
  assert.notEqual(second.fingerprint256, certificate.fingerprint256);
  assert.equal(clientIdentity(second), clientIdentity(certificate));
});

Deno.test("clientIdentity differs between certificates, and looks like a fingerprint", async () => {
  const other = (await pki.identity(await pki.clientKey({ commonName: "other" }))).chain[0]!;
  assert.notEqual(clientIdentity(other), clientIdentity(certificate));
  assert.match(clientIdentity(other), /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

Deno.test("clientIdentity refuses trailing bytes", () => {
  const raw = Buffer.from([...certificate.raw, 1, 2, 3, 4]);
  assert.throws(() => clientIdentity({ raw }), /not one DER value/);
});
