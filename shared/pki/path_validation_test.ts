import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { CertifiedKey } from "../../agent/certs/authority/certificate_authority.ts";
import { confusingChain, countChecks, MadeCertificate } from "../../tests/support/pki/made_certificate.ts";
import { EXPIRED, NOT_YET_VALID, TEST_SERVER_NAME, TestPki } from "../../tests/support/pki/pki.ts";
import { subjectOf } from "./x509/names.ts";
import { parseCertificates } from "./x509/pem.ts";
import { type PathValidation, validatePath } from "./path_validation.ts";

const read = ({ cert }: Pick<CertifiedKey, "cert">) => new X509Certificate(cert);

function problemOf(key: CertifiedKey, pki: TestPki, validation: Partial<PathValidation> = {}) {
  return validatePath({
    chain: [read(key)],
    authorities: [read({ cert: pki.ca })],
    mode: "after_tls",
    ...validation,
  })
    ?.text;
}

Deno.test("validatePath accepts a valid certificate", async () => {
  const pki = await TestPki.create();
  const validation = { usage: "serverAuth", serverName: TEST_SERVER_NAME } as const;
  assert.equal(problemOf(await pki.serverKey(), pki, validation), undefined);
});

Deno.test("validatePath checks the validity period", async () => {
  const pki = await TestPki.create();
  assert.match((problemOf(await pki.clientKey(EXPIRED), pki))!, /^expired on \d{4}-.*Z$/);
  assert.match((problemOf(await pki.clientKey(NOT_YET_VALID), pki))!, /^is not valid before \d{4}-.*Z$/);
});

Deno.test("validatePath names the issuer of a certificate of another CA", async () => {
  const pki = await TestPki.create("Ours");
  const other = await TestPki.create("Proxy, Inc.");
  assert.equal(problemOf(await other.clientKey(), pki), "was issued by CN=Proxy, Inc., not by CN=Ours");
});

Deno.test("validatePath refuses another CA with the same name", async () => {
  const [pki, other] = await Promise.all([TestPki.create("Ours"), TestPki.create("Ours")]);
  const expected = "was issued by another CN=Ours, not by the one trusted here";
  assert.equal(problemOf(await other.clientKey(), pki), expected);
  const authorities = [pki, other].map(({ ca }) => read({ cert: ca }));
  assert.equal(problemOf(await other.clientKey(), pki, { authorities }), undefined);
});

Deno.test("validatePath accepts no issuer that is not a CA", async () => {
  const pki = await TestPki.create();
  const leaf = await pki.clientKey();
  const problem = validatePath({ chain: [read(leaf)], authorities: [read(leaf)], mode: "after_tls" });
  assert.match(problem!.text, /^was issued by CN=Test CA, not by CN=test-client$/);
});

Deno.test("validatePath checks the extended key usage", async () => {
  const pki = await TestPki.create();
  const problem = "is not for clientAuth (extended key usage)";
  assert.equal(problemOf(await pki.serverKey(), pki, { usage: "clientAuth" }), problem);
  assert.equal(problemOf(await pki.clientKey({ usages: [] }), pki, { usage: "clientAuth" }), problem);
});

Deno.test("validatePath checks the server name, and ignores the common name", async () => {
  const pki = await TestPki.create();
  const server = await pki.serverKey();
  assert.equal(
    problemOf(server, pki, { serverName: "other" }),
    `is not for "other": it carries "${TEST_SERVER_NAME}"`,
  );
  const nameless = await pki.serverKey({ alternativeNames: [] });
  assert.equal(
    problemOf(nameless, pki, { serverName: TEST_SERVER_NAME }),
    `is not for "${TEST_SERVER_NAME}": it carries no alternative name`,
  );
});

Deno.test("subjectOf falls back to the serial number", () => {
  assert.equal(subjectOf({ subject: "", serialNumber: "0A" } as X509Certificate), "serial 0A");
  assert.equal(subjectOf({ subject: "O=a\nCN=b", serialNumber: "0A" } as X509Certificate), "O=a, CN=b");
});

/** The first certificates of the most expensive chain. */
async function confusing(length: number) {
  const { cert } = await confusingChain(length, "CN=x");
  return parseCertificates({ bytes: new TextEncoder().encode(cert), name: "chain" });
}

Deno.test("validatePath refuses a chain of more than four certificates", async () => {
  const chain = await confusing(5);
  const checks = await countChecks(() => {
    const problem = validatePath({ chain, authorities: [chain.at(-1)!], mode: "after_tls" });
    assert.equal(problem?.kind, "chain");
    assert.equal(problem.text, "came in a chain of 5 certificates, and at most 4 are accepted");
  });
  assert.equal(checks, 0);
});

Deno.test("validatePath checks no signature of a chain that TLS refused", async () => {
  const [pki, chain] = [await TestPki.create(), await confusing(4)];
  const checks = await countChecks(() => {
    const problem = validatePath({ chain, authorities: [read({ cert: pki.ca })], mode: "names_only" });
    assert.equal(problem?.text, "was issued by CN=x, not by CN=Test CA");
  });
  assert.equal(checks, 0);
});

for (const mode of ["after_tls", "standalone"] as const) {
  Deno.test(`validatePath checks at most 16 signatures of a chain in mode ${mode}`, async () => {
    const chain = await confusing(4);
    // All have the chain's name, and none has issued any certificate of it.
    const authorities = await Promise.all(
      Array.from({ length: 30 }, async () => (await MadeCertificate.authority("CN=x")).read),
    );
    const checks = await countChecks(() => {
      assert.equal(validatePath({ chain, authorities, mode })?.kind, "chain");
    });
    assert.equal(checks, 16);
  });
}

Deno.test("validatePath follows a chain of four to the CA, and checks each signature once", async () => {
  const root = await MadeCertificate.authority("CN=root");
  const [a, b, c] = ["a", "b", "c"].map((name) => `CN=${name}`) as [string, string, string];
  const first = await MadeCertificate.authority(a, root);
  const second = await MadeCertificate.authority(b, first);
  const third = await MadeCertificate.authority(c, second);
  const leaf = await MadeCertificate.client("CN=leaf", third);
  const validation = {
    chain: [leaf, third, second, first].map((made) => made.read),
    authorities: [root.read],
    usage: "clientAuth",
    mode: "after_tls",
  } as const;
  const checks = await countChecks(() => {
    for (let time = 0; time < 3; time++) assert.equal(validatePath(validation), undefined);
  });
  assert.equal(checks, 4);
});
