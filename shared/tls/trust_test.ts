import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { CertifiedKey } from "../../agent/certs/authority.ts";
import { confusingChain, countChecks, MadeCertificate } from "../../tests/support/made_certificate.ts";
import { EXPIRED, NOT_YET_VALID, TEST_SERVER_NAME, TestPki } from "../../tests/support/pki.ts";
import { subjectOf } from "./subject.ts";
import { parseCertificates } from "./certificates.ts";
import { findFault, type TrustQuestion } from "./trust.ts";

const read = ({ cert }: Pick<CertifiedKey, "cert">) => new X509Certificate(cert);

function faultOf(key: CertifiedKey, pki: TestPki, question: Partial<TrustQuestion> = {}) {
  return findFault({ chain: [read(key)], authorities: [read({ cert: pki.ca })], proof: "tls", ...question })
    ?.text;
}

Deno.test("findFault finds nothing wrong with a good certificate", async () => {
  const pki = await TestPki.create();
  const question = { usage: "serverAuth", serverName: TEST_SERVER_NAME } as const;
  assert.equal(faultOf(await pki.serverKey(), pki, question), undefined);
});

Deno.test("findFault looks at the dates", async () => {
  const pki = await TestPki.create();
  assert.match((faultOf(await pki.clientKey(EXPIRED), pki))!, /^expired at \d{4}-.*Z$/);
  assert.match((faultOf(await pki.clientKey(NOT_YET_VALID), pki))!, /^is not valid before \d{4}-.*Z$/);
});

Deno.test("findFault names the issuer of a certificate of another CA", async () => {
  const pki = await TestPki.create("Ours");
  const other = await TestPki.create("Proxy, Inc.");
  assert.equal(faultOf(await other.clientKey(), pki), "was issued by CN=Proxy, Inc., not by CN=Ours");
});

Deno.test("findFault is not deceived by a CA of the same name", async () => {
  const [pki, other] = await Promise.all([TestPki.create("Ours"), TestPki.create("Ours")]);
  const expected = "was issued by another CN=Ours than the one that is trusted here";
  assert.equal(faultOf(await other.clientKey(), pki), expected);
  const authorities = [pki, other].map(({ ca }) => read({ cert: ca }));
  assert.equal(faultOf(await other.clientKey(), pki, { authorities }), undefined);
});

Deno.test("findFault accepts no issuer that is not a CA", async () => {
  const pki = await TestPki.create();
  const leaf = await pki.clientKey();
  const fault = findFault({ chain: [read(leaf)], authorities: [read(leaf)], proof: "tls" });
  assert.match(fault!.text, /^was issued by CN=Test CA, not by CN=test-client$/);
});

Deno.test("findFault asks what a certificate is for", async () => {
  const pki = await TestPki.create();
  const fault = "is not for clientAuth (extended key usage)";
  assert.equal(faultOf(await pki.serverKey(), pki, { usage: "clientAuth" }), fault);
  assert.equal(faultOf(await pki.clientKey({ usages: [] }), pki, { usage: "clientAuth" }), fault);
});

Deno.test("findFault asks for the name, and takes no common name for it", async () => {
  const pki = await TestPki.create();
  const server = await pki.serverKey();
  assert.equal(
    faultOf(server, pki, { serverName: "other" }),
    `is not for "other": it carries "${TEST_SERVER_NAME}"`,
  );
  const nameless = await pki.serverKey({ alternativeNames: [] });
  assert.equal(
    faultOf(nameless, pki, { serverName: TEST_SERVER_NAME }),
    `is not for "${TEST_SERVER_NAME}": it carries no alternative name at all`,
  );
});

Deno.test("subjectOf falls back to the serial number", () => {
  assert.equal(subjectOf({ subject: "", serialNumber: "0A" } as X509Certificate), "serial 0A");
  assert.equal(subjectOf({ subject: "O=a\nCN=b", serialNumber: "0A" } as X509Certificate), "O=a, CN=b");
});

/** The first certificates of a chain that costs the most. */
async function confusing(length: number) {
  const { cert } = await confusingChain(length, "CN=x");
  return parseCertificates({ bytes: new TextEncoder().encode(cert), name: "chain" });
}

Deno.test("findFault does not look at a chain of more than four certificates", async () => {
  const chain = await confusing(5);
  const checks = await countChecks(() => {
    const fault = findFault({ chain, authorities: [chain.at(-1)!], proof: "tls" });
    assert.equal(fault?.kind, "chain");
    assert.equal(fault.text, "came in a chain of 5 certificates, and at most 4 are accepted");
  });
  assert.equal(checks, 0);
});

Deno.test("findFault checks no signature of a chain that TLS refused", async () => {
  const [pki, chain] = [await TestPki.create(), await confusing(4)];
  const checks = await countChecks(() => {
    const fault = findFault({ chain, authorities: [read({ cert: pki.ca })], proof: "names" });
    assert.equal(fault?.text, "was issued by CN=x, not by CN=Test CA");
  });
  assert.equal(checks, 0);
});

for (const proof of ["tls", "alone"] as const) {
  Deno.test(`findFault checks at most 16 signatures of a chain, where ${proof} stands behind it`, async () => {
    const chain = await confusing(4);
    // All have the chain's name, and none has issued any of it.
    const authorities = await Promise.all(
      Array.from({ length: 30 }, async () => (await MadeCertificate.authority("CN=x")).read),
    );
    const checks = await countChecks(() => {
      assert.equal(findFault({ chain, authorities, proof })?.kind, "chain");
    });
    assert.equal(checks, 16);
  });
}

Deno.test("findFault follows a chain of four to the CA, and checks each signature once", async () => {
  const root = await MadeCertificate.authority("CN=root");
  const [a, b, c] = ["a", "b", "c"].map((name) => `CN=${name}`) as [string, string, string];
  const first = await MadeCertificate.authority(a, root);
  const second = await MadeCertificate.authority(b, first);
  const third = await MadeCertificate.authority(c, second);
  const leaf = await MadeCertificate.client("CN=leaf", third);
  const question = {
    chain: [leaf, third, second, first].map((made) => made.read),
    authorities: [root.read],
    usage: "clientAuth",
    proof: "tls",
  } as const;
  const checks = await countChecks(() => {
    for (let time = 0; time < 3; time++) assert.equal(findFault(question), undefined);
  });
  assert.equal(checks, 4);
});
