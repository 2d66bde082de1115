import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { loadIdentity } from "../../shared/pki/identity/identity.ts";
import {
  assertPrivate,
  namesIn,
  OPENSSL_KEYS,
  opensslAuthority,
  withFolder,
} from "../../tests/support/pki/certificate_folder.ts";
import { openssl, runOpenssl, withOpenssl } from "../../tests/support/pki/openssl.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { initCertificates } from "./init.ts";
import { issueCertificate } from "./issue.ts";
import { requireSerial } from "./authority/names.ts";

const DAY_MS = 86_400_000;

async function certificate(path: string): Promise<X509Certificate> {
  return new X509Certificate(await Deno.readTextFile(path));
}

Deno.test("issueCertificate issues a client certificate that both programs can use", async () => {
  await withFolder(async (dir) => {
    await initCertificates({ dir });
    const names = { dns: ["a.example", "*.b.example"], uri: ["spiffe://corp/laptop"] };
    const { files, notes } = await issueCertificate({ dir, name: "laptop", days: 3, ...names });
    const [cert, key, ca] = [`${dir}/laptop.crt`, `${dir}/laptop.key`, `${dir}/ca.crt`];
    assert.deepEqual(files, [cert, key]);
    await loadIdentity({ cert: { file: cert }, key: { file: key }, ca: { file: ca } }, "clientAuth");
    const { subject, subjectAltName, serialNumber, validFrom, validTo } = await certificate(cert);
    assert.equal(subject, "CN=laptop");
    assert.equal(subjectAltName, "DNS:a.example, DNS:*.b.example, URI:spiffe://corp/laptop");
    // Not even a second longer: some clients have a limit.
    const lifetime = Date.parse(validTo) - Date.parse(validFrom);
    assert.ok(lifetime <= 3 * DAY_MS && lifetime > 3 * DAY_MS - 60_000, `${validFrom} to ${validTo}`);
    const end = new Date(validTo).toISOString();
    assert.deepEqual(notes, [
      `certificate laptop (serial ${requireSerial(serialNumber)}) is valid until ${end}`,
    ]);
    await assertPrivate(key);
  });
});

Deno.test("issueCertificate adds the server name to the alternative names", async () => {
  await withFolder(async (dir) => {
    await initCertificates({ dir });
    await issueCertificate({ dir, name: "plain", server: true });
    await issueCertificate({
      dir,
      name: "named",
      server: true,
      serverName: "t.example",
      dns: ["t.example", "u.example"],
    });
    await issueCertificate({ dir, name: "address", server: true, serverName: "10.0.0.1" });
    const [plain, named, address] = [
      await certificate(`${dir}/plain.crt`),
      await certificate(`${dir}/named.crt`),
      await certificate(`${dir}/address.crt`),
    ];
    assert.deepEqual([plain.subject, plain.subjectAltName], ["CN=sallyport-server", "DNS:sallyport-server"]);
    assert.deepEqual([named.subject, named.subjectAltName], ["CN=t.example", "DNS:t.example, DNS:u.example"]);
    assert.deepEqual([address.subject, address.subjectAltName], ["CN=10.0.0.1", "IP Address:10.0.0.1"]);
    const [cert, key, ca] = ["named.crt", "named.key", "ca.crt"].map((name) => ({ file: `${dir}/${name}` }));
    await loadIdentity({ cert: cert!, key: key!, ca: ca! }, "serverAuth");
  });
});

for (const [kind, command] of Object.entries(OPENSSL_KEYS)) {
  Deno.test(
    withOpenssl(
      `issueCertificate accepts a CA made by openssl with a key of type ${kind}`,
      () =>
        withFolder(async (dir) => {
          await opensslAuthority(dir, command, "-addext", "keyUsage=critical,keyCertSign,cRLSign");
          await issueCertificate({ dir, name: "laptop", uri: ["spiffe://x/y"] });
          await issueCertificate({ dir, name: "other", server: true });
          const verify = "verify -x509_strict -CAfile ca.crt -purpose";
          assert.match(await openssl(dir, `${verify} sslclient laptop.crt`), /laptop\.crt: OK/);
          assert.match(await openssl(dir, `${verify} sslserver other.crt`), /other\.crt: OK/);
          assert.notEqual((await runOpenssl(dir, `${verify} sslserver laptop.crt`)).code, 0);
          const text = await openssl(dir, "x509 -in laptop.crt -noout -text");
          assert.match(text, /Issuer: C ?= ?DE, O ?= ?"Some Company, Ltd\.", CN ?= ?Our own CA/);
          assert.match(text, /TLS Web Client Authentication\n/);
          assert.match(text, /URI:spiffe:\/\/x\/y\n/);
          assert.match(text, /Basic Constraints: critical\s+CA:FALSE/);
        }),
    ),
  );
}

Deno.test(withOpenssl("issueCertificate uses the CA's own key identifier", () =>
  withFolder(async (dir) => {
    const identifiers = ["subjectKeyIdentifier=0102030405060708", "authorityKeyIdentifier=none"];
    await opensslAuthority(
      dir,
      OPENSSL_KEYS["EC P-256, PKCS#8"]!,
      ...identifiers.flatMap((each) => ["-addext", each]),
    );
    await issueCertificate({ dir, name: "laptop" });
    const text = await openssl(dir, "x509 -in laptop.crt -noout -text");
    assert.match(text, /Authority Key Identifier:\s+(keyid:)?01:02:03:04:05:06:07:08\n/);
    assert.match(await openssl(dir, "verify -CAfile ca.crt laptop.crt"), /OK/);
  })));

Deno.test("issueCertificate cuts the validity off at the end of the CA, and says so", async () => {
  await withFolder(async (dir) => {
    await initCertificates({ dir });
    const { notes } = await issueCertificate({ dir, name: "laptop", days: 30_000 });
    const [{ validTo }, ca] = [await certificate(`${dir}/laptop.crt`), await certificate(`${dir}/ca.crt`)];
    assert.equal(validTo, ca.validTo);
    assert.match(notes[0]!, /, when the CA expires$/);
  });
});

Deno.test("issueCertificate overwrites no file", async () => {
  await withFolder(async (dir) => {
    await initCertificates({ dir });
    const before = await namesIn(dir);
    for (const name of ["laptop.crt", "laptop.key"]) {
      await Deno.writeTextFile(`${dir}/${name}`, "mine");
      const refused = withReason(
        "bad_request",
        /laptop\.(crt|key): it already exists and is never overwritten; use another name or folder$/,
      );
      await assert.rejects(issueCertificate({ dir, name: "laptop" }), refused);
      assert.equal(await Deno.readTextFile(`${dir}/${name}`), "mine");
      await Deno.remove(`${dir}/${name}`);
      assert.deepEqual(await namesIn(dir), before);
    }
  });
});

Deno.test("issueCertificate refuses invalid options, and leaves no file behind", async () => {
  await withFolder(async (dir) => {
    await initCertificates({ dir });
    const before = await namesIn(dir);
    const cases = [
      [{ name: "../laptop" }, /the name "\.\.\/laptop": expected 1 to 60 letters/],
      [{ name: "ca" }, /the name "ca"/],
      [{ days: 0 }, /days is 0, 1 to 36500 are allowed/],
      [{ days: 36_501 }, /days is 36501/],
      [{ dns: ["a.example", "b c"] }, /the DNS name "b c"/],
      [{ uri: ["nothing"] }, /the URI "nothing"/],
      [{ server: true, serverName: "a b" }, /the server name "a b"/],
      [{ serverName: "a" }, /a client certificate: server name "a" needs a server certificate/],
    ] as const;
    for (const [options, message] of cases) {
      await assert.rejects(
        issueCertificate({ dir, name: "laptop", ...options }),
        withReason("bad_request", message),
      );
    }
    assert.deepEqual(await namesIn(dir), before);
  });
});
