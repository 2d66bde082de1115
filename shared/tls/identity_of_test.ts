import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { TestPki } from "../../tests/support/pki.ts";
import { withSecondSignature } from "../../tests/support/second_signature.ts";
import { identityOf } from "./identity_of.ts";

const pki = await TestPki.create();
const certificate = (await pki.client()).chain[0]!;

Deno.test("a certificate with another valid signature has the same identity", () => {
  const second = withSecondSignature(certificate);
  assert.ok(second.verify(new X509Certificate(pki.ca).publicKey), "the signature is valid");
  assert.notEqual(second.fingerprint256, certificate.fingerprint256);
  assert.equal(identityOf(second), identityOf(certificate));
});

Deno.test("two certificates have two identities, which look like fingerprints", async () => {
  const other = (await pki.identity(await pki.clientKey({ commonName: "other" }))).chain[0]!;
  assert.notEqual(identityOf(other), identityOf(certificate));
  assert.match(identityOf(other), /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

Deno.test("bytes behind a certificate are refused", () => {
  const raw = Buffer.from([...certificate.raw, 1, 2, 3, 4]);
  assert.throws(() => identityOf({ raw }), /not one DER value/);
});
