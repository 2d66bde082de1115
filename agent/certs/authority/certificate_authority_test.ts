import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { SallyportError } from "../../../shared/errors.ts";
import { whyMissing } from "../../../tests/support/tools.ts";
import { CertificateAuthority, type LeafOptions } from "./certificate_authority.ts";

const HOUR_MS = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS);
const missing = await whyMissing("openssl", "version");

function leaf(options: Partial<LeafOptions> = {}): LeafOptions {
  return { commonName: "laptop", usages: ["clientAuth"], notAfter: inHours(1), ...options };
}

Deno.test("CertificateAuthority creates a self-signed CA certificate", async () => {
  const authority = await CertificateAuthority.create({ commonName: "Root", notAfter: inHours(1) });
  const root = new X509Certificate(authority.files.cert);
  assert.equal(root.subject, "CN=Root");
  assert.equal(root.ca, true);
  assert.equal(root.verify(root.publicKey), true);
});

Deno.test("CertificateAuthority gives each CA a different default name", async () => {
  const [a, b] = await Promise.all([1, 2].map(() => CertificateAuthority.create({ notAfter: inHours(1) })));
  const [nameA, nameB] = [a!, b!].map(({ files }) => new X509Certificate(files.cert).subject);
  assert.match(nameA!, /^CN=Sallyport CA [0-9a-f]{8}$/);
  assert.notEqual(nameA, nameB);
});

Deno.test("CertificateAuthority issues a certificate with names, dates and a matching key", async () => {
  const authority = await CertificateAuthority.create({ commonName: "Root", notAfter: inHours(9) });
  const alternativeNames = [
    { type: "dns", value: "a.example" },
    { type: "ip", value: "::1" },
    { type: "uri", value: "spiffe://x/y" },
  ] as const;
  const notBefore = inHours(-2);
  const { cert, key } = await authority.issue(
    leaf({ commonName: 'me+you, = "x"', alternativeNames, notBefore }),
  );
  const certificate = new X509Certificate(cert);
  assert.equal(certificate.checkPrivateKey(createPrivateKey(key)), true);
  assert.match(key, /^-----BEGIN PRIVATE KEY-----/);
  assert.equal(certificate.subject, 'CN=me+you, = "x"');
  assert.match(certificate.subjectAltName!, /DNS:a\.example/);
  assert.match(certificate.subjectAltName!, /IP Address:(0:0:0:0:0:0:0:1|::1)/);
  assert.match(certificate.subjectAltName!, /URI:spiffe:\/\/x\/y/);
  assert.equal(certificate.ca, false);
  assert.equal(Date.parse(certificate.validFrom), Math.floor(notBefore.getTime() / 1000) * 1000);
});

Deno.test("CertificateAuthority gives every certificate a random serial number of 128 bits", async () => {
  const authority = await CertificateAuthority.create({ notAfter: inHours(1) });
  const issued = await Promise.all(Array.from({ length: 20 }, () => authority.issue(leaf())));
  const serials = issued.map(({ cert }) => new X509Certificate(cert).serialNumber);
  assert.equal(new Set(serials).size, serials.length);
  assert.ok(serials.some((serial) => serial.length === 32), serials.join());
  assert.ok(serials.every((serial) => serial.length <= 32 && serial.length > 20), serials.join());
});

Deno.test("CertificateAuthority issues no certificate that expires after its own", async () => {
  const authority = await CertificateAuthority.create({ notAfter: inHours(1) });
  const { cert } = await authority.issue(leaf({ notAfter: inHours(5) }));
  assert.equal(new X509Certificate(cert).validTo, new X509Certificate(authority.files.cert).validTo);
});

Deno.test("CertificateAuthority refuses an invalid common name or validity", async () => {
  const authority = await CertificateAuthority.create({ notAfter: inHours(1) });
  const refused = (message: RegExp) => (error: unknown) =>
    error instanceof SallyportError && error.code === "bad_request" && message.test(error.message);
  const long = "x".repeat(65);
  await assert.rejects(authority.issue(leaf({ commonName: "" })), refused(/has 0 characters/));
  await assert.rejects(authority.issue(leaf({ commonName: long })), refused(/has 65 characters/));
  const backwards = leaf({ notBefore: inHours(2), notAfter: inHours(1) });
  await assert.rejects(authority.issue(backwards), refused(/current validity is/));
});

Deno.test({
  name: `CertificateAuthority issues certificates that openssl accepts for their purpose only${
    missing ? `: ${missing}` : ""
  }`,
  ignore: missing !== undefined,
  async fn() {
    const authority = await CertificateAuthority.create({ notAfter: inHours(1) });
    const dir = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${dir}/ca.crt`, authority.files.cert);
      for (const [usage, purpose, other] of PURPOSES) {
        const { cert } = await authority.issue(leaf({ usages: [usage] }));
        await Deno.writeTextFile(`${dir}/leaf.crt`, cert);
        assert.match(await opensslVerify(dir, purpose), /leaf\.crt: OK/);
        assert.match(await opensslVerify(dir, other), /unsuitable certificate purpose/i);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

const PURPOSES = [["serverAuth", "sslserver", "sslclient"], [
  "clientAuth",
  "sslclient",
  "sslserver",
]] as const;

async function opensslVerify(dir: string, purpose: string): Promise<string> {
  const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", `${dir}/ca.crt`, `${dir}/leaf.crt`];
  const { stdout, stderr } = await new Deno.Command("openssl", { args, stdin: "null" }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}
