import "reflect-metadata"; // @peculiar/x509 needs it first
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { mayHaveIssued } from "./issuer_check.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

async function newKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
}

/** A certificate that names as its issuer, by name and by key identifier, a CA that need not have signed it. */
async function certificate(options: {
  subject: string;
  keys: CryptoKeyPair;
  isCa: boolean;
  issuer: string;
  named: CryptoKeyPair;
  signer: CryptoKeyPair;
}): Promise<X509Certificate> {
  const { subject, keys, isCa, issuer, named, signer } = options;
  const made = await x509.X509CertificateGenerator.create({
    subject,
    issuer,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new x509.BasicConstraintsExtension(isCa, undefined, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(named.publicKey),
    ],
  });
  return new X509Certificate(made.toString("pem"));
}

async function setUp(isCa: boolean) {
  const [ca, leaf, rogue] = [await newKeys(), await newKeys(), await newKeys()];
  const root = { subject: "CN=root", issuer: "CN=root", keys: ca, named: ca, signer: ca, isCa };
  const issuer = await certificate(root);
  const issued = (signer: CryptoKeyPair) =>
    certificate({ subject: "CN=leaf", issuer: "CN=root", keys: leaf, named: ca, signer, isCa: false });
  return { issuer, good: await issued(ca), forged: await issued(rogue) };
}

Deno.test("mayHaveIssued trusts a signature, not a name or key identifier", async () => {
  const { issuer, good, forged } = await setUp(true);
  // Checked twice: the result is cached.
  for (let time = 0; time < 2; time++) {
    assert.equal(mayHaveIssued(issuer, good), true);
    assert.equal(mayHaveIssued(issuer, forged), false);
    assert.equal(mayHaveIssued(good, issuer), false);
  }
});

Deno.test("mayHaveIssued accepts no issuer that is not a CA", async () => {
  const { issuer, good } = await setUp(false);
  assert.equal(mayHaveIssued(issuer, good), false);
});
