import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  assertPrivate,
  namesIn,
  OPENSSL_KEYS,
  opensslAuthority,
  withFolder,
} from "../../tests/support/pki/certificate_folder.ts";
import { openssl, withOpenssl } from "../../tests/support/pki/openssl.ts";
import { EXPIRED, TestPki } from "../../tests/support/pki/pki.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { initCertificates } from "./init.ts";
import { issueCertificate } from "./issue.ts";
import { requireSerial } from "./authority/names.ts";
import { renewCertificate } from "./renew.ts";
import { revokeCertificate } from "./revoke.ts";

const DAY_MS = 86_400_000;

/** A certificate and its key in a folder. */
async function pair(dir: string, name: string, ending = "") {
  const cert = new X509Certificate(await Deno.readTextFile(`${dir}/${name}.crt${ending}`));
  const key = await Deno.readTextFile(`${dir}/${name}.key${ending}`);
  return { cert, key, fits: cert.checkPrivateKey(createPrivateKey(key)) };
}

function withClient(use: (dir: string) => Promise<void>): Promise<void> {
  return withFolder(async (dir) => {
    await initCertificates({ dir });
    await issueCertificate({ dir, name: "laptop", days: 30, dns: ["a.example"], uri: ["spiffe://x/y"] });
    await use(dir);
  });
}

Deno.test("renewCertificate keeps names and uses, and changes serial number and key", () =>
  withClient(async (dir) => {
    const old = await pair(dir, "laptop");
    await renewCertificate({ dir, name: "laptop" });
    const renewed = await pair(dir, "laptop");
    assert.equal(renewed.cert.subject, old.cert.subject);
    assert.equal(renewed.cert.subjectAltName, "DNS:a.example, URI:spiffe://x/y");
    assert.deepEqual(renewed.cert.keyUsage, old.cert.keyUsage);
    assert.notEqual(renewed.cert.serialNumber, old.cert.serialNumber);
    assert.notEqual(renewed.key, old.key);
    assert.equal(renewed.fits, true);
    await assertPrivate(`${dir}/laptop.key`);
  }));

Deno.test("renewCertificate keeps the old pair, complete and private, and nothing else", () =>
  withClient(async (dir) => {
    const old = await pair(dir, "laptop");
    const before = await namesIn(dir);
    const { files } = await renewCertificate({ dir, name: "laptop" });
    const kept = await pair(dir, "laptop", ".old");
    assert.equal(kept.cert.raw.toHex(), old.cert.raw.toHex());
    assert.equal(kept.key, old.key);
    await assertPrivate(`${dir}/laptop.key.old`);
    assert.deepEqual(await namesIn(dir), [...before, "laptop.crt.old", "laptop.key.old"].sort());
    // The old files are saved before anything changes, and the key is replaced first.
    const order = ["laptop.key.old", "laptop.crt.old", "laptop.key", "laptop.crt"];
    assert.deepEqual(files, order.map((name) => `${dir}/${name}`));
  }));

Deno.test("renewCertificate keeps the key on request, and the old pair still matches", () =>
  withClient(async (dir) => {
    await renewCertificate({ dir, name: "laptop" });
    const old = await pair(dir, "laptop");
    await renewCertificate({ dir, name: "laptop", keepKey: true });
    const renewed = await pair(dir, "laptop");
    assert.equal(renewed.key, old.key);
    assert.equal(renewed.fits, true);
    assert.notEqual(renewed.cert.serialNumber, old.cert.serialNumber);
    const kept = await pair(dir, "laptop", ".old");
    assert.deepEqual([kept.cert.serialNumber, kept.fits], [old.cert.serialNumber, true]);
  }));

Deno.test("renewCertificate keeps the lifetime unless another is given", () =>
  withClient(async (dir) => {
    const daysOf = ({ cert }: { cert: X509Certificate }) =>
      Math.round((Date.parse(cert.validTo) - Date.now()) / DAY_MS);
    await renewCertificate({ dir, name: "laptop" });
    assert.equal(daysOf(await pair(dir, "laptop")), 30);
    await renewCertificate({ dir, name: "laptop", days: 7 });
    assert.equal(daysOf(await pair(dir, "laptop")), 7);
    const { notes } = await renewCertificate({ dir, name: "laptop", days: 36_500 });
    const ca = new X509Certificate(await Deno.readTextFile(`${dir}/ca.crt`));
    assert.equal((await pair(dir, "laptop")).cert.validTo, ca.validTo);
    assert.match(notes[0]!, /, when the CA expires$/);
  }));

Deno.test("renewCertificate lists the replaced certificates that are still valid", () =>
  withClient(async (dir) => {
    const first = requireSerial((await pair(dir, "laptop")).cert.serialNumber);
    const once = await renewCertificate({ dir, name: "laptop" });
    const second = requireSerial((await pair(dir, "laptop")).cert.serialNumber);
    assert.equal(once.notes.length, 2);
    assert.match(
      once.notes[1]!,
      new RegExp(`serial ${first}\\) stays valid until .*revoke --dir .* --serial ${first} `),
    );
    const twice = await renewCertificate({ dir, name: "laptop" });
    assert.equal(twice.notes.length, 3, "the first one has no file any longer");
    assert.match(twice.notes[1]!, new RegExp(`serial ${second}\\) stays valid`));
    assert.match(twice.notes[2]!, new RegExp(`serial ${first}\\) stays valid`));
    for (const serial of [first, second]) await revokeCertificate({ dir, which: { serial } });
    assert.equal(
      (await renewCertificate({ dir, name: "laptop" })).notes.length,
      2,
      "revoked certificates are not listed",
    );
  }));

Deno.test("renewCertificate renews an expired certificate, and one whose key is elsewhere", async () => {
  const pki = await TestPki.create();
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/ca.crt`, pki.ca);
    await Deno.writeTextFile(`${dir}/ca.key`, pki.authority.files.key);
    await Deno.writeTextFile(`${dir}/laptop.crt`, (await pki.clientKey(EXPIRED)).cert);
    const { notes } = await renewCertificate({ dir, name: "laptop", days: 1 });
    const { cert, fits } = await pair(dir, "laptop");
    assert.ok(Date.parse(cert.validTo) > Date.now());
    assert.equal(fits, true);
    assert.deepEqual(await namesIn(dir), ["ca.crt", "ca.key", "laptop.crt", "laptop.crt.old", "laptop.key"]);
    assert.doesNotMatch(notes.join("\n"), /stays valid/, "an expired certificate is not listed");
  });
});

Deno.test("renewCertificate keeps the other certificates in the file", () =>
  withClient(async (dir) => {
    const ca = await Deno.readTextFile(`${dir}/ca.crt`);
    await Deno.writeTextFile(`${dir}/laptop.crt`, ca, { append: true });
    await renewCertificate({ dir, name: "laptop" });
    assert.ok((await Deno.readTextFile(`${dir}/laptop.crt`)).endsWith(ca));
    assert.equal((await pair(dir, "laptop")).fits, true);
  }));

Deno.test("renewCertificate refuses unusable certificates and options, and changes nothing", () =>
  withClient(async (dir) => {
    const stranger = await (await TestPki.create()).clientKey();
    await Deno.writeTextFile(`${dir}/stranger.crt`, stranger.cert);
    await Deno.writeTextFile(`${dir}/keyless.crt`, await Deno.readTextFile(`${dir}/laptop.crt`));
    await Deno.writeTextFile(`${dir}/wrong.crt`, await Deno.readTextFile(`${dir}/laptop.crt`));
    await Deno.writeTextFile(`${dir}/wrong.key`, stranger.key);
    await Deno.copyFile(`${dir}/ca.crt`, `${dir}/copy.crt`);
    await Deno.writeTextFile(`${dir}/text.crt`, "hello");
    const before = await namesIn(dir);
    const cases = [
      [
        { name: "unknown" },
        /Cannot renew unknown: unknown\.crt not found in .*; list the certificates there with "certs show --dir .*"/,
      ],
      [{ name: "../x" }, /the name "\.\.\/x"/],
      [{ name: "ca" }, /the name "ca"/],
      [{ name: "copy" }, /copy\.crt was not issued by the CA in the same folder/],
      [{ name: "stranger" }, /stranger\.crt was not issued by the CA in the same folder/],
      [{ name: "text" }, /text\.crt: it has no entry BEGIN CERTIFICATE/],
      [{ name: "keyless", keepKey: true }, /renew keyless with its key: .*keyless\.key not found$/],
      [
        { name: "wrong", keepKey: true },
        /renew wrong with its key: .*wrong\.key is not the key of wrong\.crt/,
      ],
      [{ name: "laptop", days: 0 }, /days is 0/],
    ] as const;
    for (const [options, message] of cases) {
      await assert.rejects(renewCertificate({ dir, ...options }), withReason("bad_request", message));
    }
    assert.deepEqual(await namesIn(dir), before);
  }));

Deno.test("renewCertificate refuses a revoked certificate", () =>
  withClient(async (dir) => {
    await revokeCertificate({ dir, which: { name: "laptop" }, reason: "keyCompromise" });
    const refused = withReason(
      "bad_request",
      /revoked on 2.*Z \(keyCompromise\); to allow .*, move laptop\.crt and laptop\.key away/,
    );
    await assert.rejects(renewCertificate({ dir, name: "laptop" }), refused);
    assert.equal((await namesIn(dir)).includes("laptop.crt.old"), false);
  }));

Deno.test("renewCertificate does not keep a compromised key, and revokeCertificate lists its other certificates", () =>
  withClient(async (dir) => {
    await renewCertificate({ dir, name: "laptop", keepKey: true });
    const old = requireSerial((await pair(dir, "laptop", ".old")).cert.serialNumber);
    const next = requireSerial((await pair(dir, "laptop")).cert.serialNumber);
    await Deno.writeTextFile(`${dir}/damaged.crt`, "no certificate");
    const { notes } = await revokeCertificate({ dir, which: { serial: old }, reason: "keyCompromise" });
    const warning = new RegExp(
      `warning: .*laptop\\.crt \\(serial ${next}\\) has the same key and is still valid`,
    );
    assert.equal(notes.filter((note) => warning.test(note)).length, 1, notes.join("\n"));
    await assert.rejects(
      renewCertificate({ dir, name: "laptop", keepKey: true }),
      withReason(
        "bad_request",
        /the same key is in .*laptop\.crt\.old .*keyCompromise; renew it without --keep-key/,
      ),
    );
    await renewCertificate({ dir, name: "laptop" });
    await renewCertificate({ dir, name: "laptop", keepKey: true });
  }));

Deno.test("renewCertificate leaves a matching pair when the old one cannot be saved", () =>
  withClient(async (dir) => {
    const old = await pair(dir, "laptop");
    await Deno.mkdir(`${dir}/laptop.crt.old/x`, { recursive: true });
    await assert.rejects(renewCertificate({ dir, name: "laptop" }), /laptop\.crt\.old: it is a directory/);
    const { cert, fits } = await pair(dir, "laptop");
    assert.deepEqual([cert.serialNumber, fits], [old.cert.serialNumber, true]);
  }));

for (const [kind, command] of Object.entries(OPENSSL_KEYS)) {
  Deno.test(
    withOpenssl(
      `renewCertificate renews a certificate made by openssl with a CA key of type ${kind}`,
      () =>
        withFolder(async (dir) => {
          await opensslAuthority(dir, command, "-addext", "keyUsage=critical,keyCertSign,cRLSign");
          const extensions =
            "subjectAltName=DNS:a.example,IP:10.0.0.1\nextendedKeyUsage=serverAuth,1.2.3.4\ntlsfeature=status_request\n";
          await Deno.writeTextFile(`${dir}/x.ext`, extensions);
          await openssl(
            dir,
            "req -newkey rsa:2048 -nodes -keyout own.key -out own.csr",
            "-subj",
            "/O=A, B/OU=x+y/CN=own",
          );
          await openssl(
            dir,
            "x509 -req -in own.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -extfile x.ext -out own.crt",
          );
          const before = await openssl(
            dir,
            "x509 -in own.crt -noout -subject -ext subjectAltName,extendedKeyUsage,tlsfeature",
          );
          await renewCertificate({ dir, name: "own", keepKey: true });
          await renewCertificate({ dir, name: "own" });
          const after = await openssl(
            dir,
            "x509 -in own.crt -noout -subject -ext subjectAltName,extendedKeyUsage,tlsfeature",
          );
          assert.equal(after, before);
          for (const file of ["own.crt", "own.crt.old"]) {
            assert.match(
              await openssl(dir, `verify -x509_strict -purpose sslserver -CAfile ca.crt ${file}`),
              /OK/,
            );
          }
          assert.equal((await pair(dir, "own", ".old")).fits, true);
        }),
    ),
  );
}
