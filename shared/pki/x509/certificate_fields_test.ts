import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { LeafOptions } from "../../../agent/certs/authority/certificate_authority.ts";
import { TestPki } from "../../../tests/support/pki/pki.ts";
import { certificateFields, serialOf } from "./certificate_fields.ts";

async function fieldsOf(options: Partial<LeafOptions>) {
  const pki = await TestPki.create();
  return certificateFields(new X509Certificate((await pki.clientKey(options)).cert));
}

Deno.test("certificateFields reads the extended key usage", async () => {
  assert.deepEqual((await fieldsOf({ usages: ["clientAuth"] })).usages, ["clientAuth"]);
  assert.deepEqual((await fieldsOf({ usages: ["serverAuth"] })).usages, ["serverAuth"]);
  const both = ["serverAuth", "clientAuth"] as const;
  assert.deepEqual((await fieldsOf({ usages: both })).usages, both);
});

Deno.test("certificateFields reads no use from a certificate without extended key usage", async () => {
  assert.deepEqual((await fieldsOf({ usages: [] })).usages, []);
});

Deno.test("certificateFields reads alternative names, and keeps one that looks like two", async () => {
  const { names } = await fieldsOf({
    alternativeNames: [
      { type: "dns", value: "a.example, DNS:b.example" },
      { type: "uri", value: "https://c.example" },
      { type: "ip", value: "192.0.2.1" },
      { type: "ip", value: "2001:db8::1" },
    ],
  });
  assert.deepEqual(names.dns, ["a.example, DNS:b.example"]);
  assert.deepEqual(names.uris, ["https://c.example"]);
  assert.deepEqual(names.addresses, ["c0000201", "20010db8000000000000000000000001"]);
});

for (const name of ["laptop", "Jörg", 'x, CN=admin+O="y"', "日本"]) {
  Deno.test(`certificateFields reads the common name ${name}`, async () => {
    assert.equal((await fieldsOf({ commonName: name })).commonName, name);
  });
}

Deno.test("certificateFields reads the serial number in comparable form", async () => {
  const pki = await TestPki.create();
  const certificate = new X509Certificate((await pki.clientKey()).cert);
  const { serial } = certificateFields(certificate);
  // The runtime omits a leading 0.
  assert.equal(serial.replace(/^0/, ""), certificate.serialNumber.toLowerCase().replace(/^0+/, ""));
  const written = ["00ff", "0000ff", "ff", "00", "0000"].map((hex) => {
    const content = Uint8Array.fromHex(hex);
    return serialOf({ tag: 2, content, raw: content });
  });
  assert.deepEqual(written, ["ff", "ff", "ff", "00", "00"]);
});

Deno.test("certificateFields reads whether a key may sign revocation lists", async () => {
  const pki = await TestPki.create();
  assert.equal(certificateFields(new X509Certificate(pki.ca)).maySignCrls, true);
  assert.equal(certificateFields(new X509Certificate((await pki.clientKey()).cert)).maySignCrls, false);
});
