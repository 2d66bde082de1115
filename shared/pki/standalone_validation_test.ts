import "reflect-metadata"; // @peculiar/x509 needs it first
import assert from "node:assert/strict";
import * as x509 from "@peculiar/x509";
import { MadeCertificate } from "../../tests/support/pki/made_certificate.ts";
import { validatePath } from "./path_validation.ts";

const UNKNOWN = new x509.Extension("1.2.3.4", true, new Uint8Array([5, 0]));
/** NameConstraints that permit DNS names under "example" (RFC 5280 section 4.2.1.10). */
const NAMES = new x509.Extension(
  "2.5.29.30",
  true,
  Uint8Array.fromHex("300da00b3009820765" + "78616d706c65"),
);

const root = await MadeCertificate.authority("CN=root");
const sub = await MadeCertificate.authority("CN=sub", root);
const narrow = await MadeCertificate.authority("CN=narrow", undefined, [NAMES]);

/** Chains that TLS has not validated, and what is wrong with them. */
const REFUSED: Readonly<
  Record<string, [reason: RegExp, chain: MadeCertificate[], authority: MadeCertificate]>
> = {
  "of a valid sub-CA": [
    /^was issued by CN=sub, not by CN=root$/,
    [await MadeCertificate.client("CN=x", sub), sub],
    root,
  ],
  "of a CA": [
    /^is a CA certificate/,
    [await MadeCertificate.client("CN=x", root, [new x509.BasicConstraintsExtension(true, undefined, true)])],
    root,
  ],
  "with an unknown critical extension": [
    /^has an unknown critical extension \(2a0304\)$/,
    [await MadeCertificate.client("CN=x", root, [UNKNOWN])],
    root,
  ],
  "with name constraints of its own": [
    /^has an unknown critical extension \(551d1e\)$/,
    [await MadeCertificate.client("CN=x", root, [NAMES])],
    root,
  ],
  "of a CA with name constraints": [
    /^was issued by CN=narrow, whose name constraints cannot be checked here$/,
    [await MadeCertificate.client("CN=x", narrow)],
    narrow,
  ],
};

for (const [what, [reason, chain, authority]] of Object.entries(REFUSED)) {
  Deno.test(`standalone validation refuses a certificate ${what}`, () => {
    const validation = { chain: chain.map(({ read }) => read), authorities: [authority.read] };
    assert.match(
      validatePath({ ...validation, usage: "clientAuth", mode: "standalone" })?.text ?? "",
      reason,
    );
  });
}

Deno.test("standalone validation accepts a certificate issued directly by a CA", async () => {
  const known = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.Extension("1.2.3.4", false, new Uint8Array([5, 0])),
  ];
  const chain = [(await MadeCertificate.client("CN=x", root, known)).read];
  const validation = { chain, usage: "clientAuth", mode: "standalone" } as const;
  assert.equal(validatePath({ ...validation, authorities: [root.read] }), undefined);
});

Deno.test("standalone validation accepts a sub-CA that is a trust anchor", async () => {
  const chain = [(await MadeCertificate.client("CN=x", sub)).read];
  const validation = { chain, usage: "clientAuth", mode: "standalone" } as const;
  assert.equal(validatePath({ ...validation, authorities: [root.read, sub.read] }), undefined);
});
