import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { CertifiedKey } from "../../agent/certs/authority.ts";
import { EXPIRED, NOT_YET_VALID, TEST_SERVER_NAME, TestPki } from "../../tests/support/pki.ts";
import { subjectOf } from "./subject.ts";
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
