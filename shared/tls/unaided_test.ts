import "reflect-metadata"; // x509 needs it to be there first
import assert from "node:assert/strict";
import * as x509 from "@peculiar/x509";
import { MadeCertificate } from "../../tests/support/made_certificate.ts";
import { findFault } from "./trust.ts";

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

/** Chains that no TLS stands behind, and what is wrong with them. */
const REFUSED: Readonly<
  Record<string, [reason: RegExp, chain: MadeCertificate[], authority: MadeCertificate]>
> = {
  "of a sub-CA, however good": [
    /^was issued by CN=sub, not by CN=root$/,
    [await MadeCertificate.client("CN=x", sub), sub],
    root,
  ],
  "that is a CA's": [
    /^is a CA certificate/,
    [await MadeCertificate.client("CN=x", root, [new x509.BasicConstraintsExtension(true, undefined, true)])],
    root,
  ],
  "with an unknown critical extension": [
    /^has a critical extension that is not known here \(2a0304\)$/,
    [await MadeCertificate.client("CN=x", root, [UNKNOWN])],
    root,
  ],
  "with name constraints of its own": [
    /^has a critical extension that is not known here \(551d1e\)$/,
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
  Deno.test(`without TLS behind it, a certificate ${what} is refused`, () => {
    const question = { chain: chain.map(({ read }) => read), authorities: [authority.read] };
    assert.match(findFault({ ...question, usage: "clientAuth", proof: "alone" })?.text ?? "", reason);
  });
}

Deno.test("without TLS behind it, a certificate that an authority issued itself is good", async () => {
  const known = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.Extension("1.2.3.4", false, new Uint8Array([5, 0])),
  ];
  const chain = [(await MadeCertificate.client("CN=x", root, known)).read];
  const question = { chain, usage: "clientAuth", proof: "alone" } as const;
  assert.equal(findFault({ ...question, authorities: [root.read] }), undefined);
});

Deno.test("without TLS behind it, a sub-CA counts where it is one of the authorities", async () => {
  const chain = [(await MadeCertificate.client("CN=x", sub)).read];
  const question = { chain, usage: "clientAuth", proof: "alone" } as const;
  assert.equal(findFault({ ...question, authorities: [root.read, sub.read] }), undefined);
});
