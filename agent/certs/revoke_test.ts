import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import {
  namesIn,
  OPENSSL_KEYS,
  opensslAuthority,
  withFolder,
} from "../../tests/support/pki/certificate_folder.ts";
import { openssl, runOpenssl, withOpenssl } from "../../tests/support/pki/openssl.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { initCertificates } from "./init.ts";
import { issueCertificate } from "./issue.ts";
import { requireSerial } from "./authority/names.ts";
import { renewCertificate } from "./renew.ts";
import { parseLists, type RevocationList } from "./revocation/revocation_list.ts";
import { renewList, revokeCertificate } from "./revoke.ts";

const DAY_MS = 86_400_000;

async function listIn(dir: string): Promise<RevocationList> {
  const lists = parseLists(await Deno.readFile(`${dir}/crl.pem`), "crl.pem");
  assert.equal(lists.length, 1);
  return lists[0]!;
}

async function serialOf(path: string): Promise<string> {
  return requireSerial(new X509Certificate(await Deno.readTextFile(path)).serialNumber);
}

function withClients(use: (dir: string) => Promise<void>): Promise<void> {
  return withFolder(async (dir) => {
    await initCertificates({ dir });
    for (const name of ["one", "two"]) await issueCertificate({ dir, name });
    await use(dir);
  });
}

Deno.test("revokeCertificate adds an entry to the list and increments its number", () =>
  withClients(async (dir) => {
    const first = await listIn(dir);
    assert.deepEqual([first.number, first.entries.length], [1n, 0]);
    const { files, notes } = await revokeCertificate({
      dir,
      which: { name: "one" },
      reason: "keyCompromise",
    });
    const one = await serialOf(`${dir}/one.crt`);
    assert.deepEqual(files, [`${dir}/crl.pem`]);
    assert.equal(notes[0], `revoked one (serial ${one}) (keyCompromise)`);
    await revokeCertificate({ dir, which: { serial: "00:AB:CD" } });
    const { number, entries } = await listIn(dir);
    assert.equal(number, 3n);
    assert.deepEqual(entries.map(({ serial, reason }) => [serial, reason]), [
      [one, "keyCompromise"],
      ["abcd", "unspecified"],
    ]);
    for (const { at } of entries) assert.ok(Math.abs(at.getTime() - Date.now()) < 60_000, at.toISOString());
  }));

Deno.test("revokeCertificate reports a certificate that is already revoked, and writes nothing", () =>
  withClients(async (dir) => {
    await revokeCertificate({ dir, which: { name: "one" }, reason: "superseded" });
    const before = await Deno.readTextFile(`${dir}/crl.pem`);
    const serial = await serialOf(`${dir}/one.crt`);
    for (const which of [{ name: "one" }, { serial: `0x${serial.toUpperCase()}` }]) {
      const { files, notes } = await revokeCertificate({ dir, which, reason: "keyCompromise" });
      assert.deepEqual(files, []);
      assert.equal(notes.length, 1);
      assert.match(
        notes[0]!,
        new RegExp(`serial ${serial}\\)? was already revoked on 2.*Z \\(superseded\\)$`),
      );
    }
    assert.equal(await Deno.readTextFile(`${dir}/crl.pem`), before);
  }));

Deno.test("revokeCertificate by name also revokes the certificate replaced by a renewal", () =>
  withClients(async (dir) => {
    const old = await serialOf(`${dir}/one.crt`);
    await renewCertificate({ dir, name: "one" });
    const { notes } = await revokeCertificate({ dir, which: { name: "one" } });
    const { entries } = await listIn(dir);
    assert.deepEqual(entries.map(({ serial }) => serial), [await serialOf(`${dir}/one.crt`), old]);
    assert.match(notes[1]!, new RegExp(`^revoked one before its renewal \\(serial ${old}\\)`));
  }));

Deno.test("revokeCertificate says what the revocation of the server's certificate reaches, and of no other", () =>
  withClients(async (dir) => {
    const { notes } = await revokeCertificate({ dir, which: { name: "server" } });
    assert.match(notes.join("\n"), /agents without crl_file still accept it\n/);
    assert.match(notes.join("\n"), /a running server with this list keeps its certificate and logs an error/);
    const { notes: others } = await revokeCertificate({ dir, which: { name: "one" } });
    assert.doesNotMatch(others.join("\n"), /server/);
  }));

Deno.test("revokeCertificate loses no entry when several run at the same time", () =>
  withClients(async (dir) => {
    const serials = Array.from({ length: 12 }, (_, index) => (index + 16).toString(16));
    await Promise.all(serials.map((serial) => revokeCertificate({ dir, which: { serial } })));
    const { number, entries } = await listIn(dir);
    assert.deepEqual(entries.map(({ serial }) => serial).sort(), serials);
    assert.equal(number, 13n);
    assert.equal((await namesIn(dir)).filter((name) => name.startsWith("crl.pem")).length, 1);
  }));

Deno.test("renewList signs the list again, and creates a missing one", () =>
  withClients(async (dir) => {
    await revokeCertificate({ dir, which: { name: "one" }, reason: "superseded" });
    const before = await listIn(dir);
    await renewList({ dir, days: 5 });
    const after = await listIn(dir);
    assert.equal(after.number, 3n);
    assert.deepEqual(after.entries.map(({ serial, at, reason }) => [serial, at, reason]), [
      [before.entries[0]!.serial, before.entries[0]!.at, "superseded"],
    ]);
    const days = (after.nextUpdate!.getTime() - after.thisUpdate.getTime()) / DAY_MS;
    assert.ok(Math.abs(days - 5) < 0.001, `${days}`);
    await Deno.remove(`${dir}/crl.pem`);
    const { notes } = await renewList({ dir });
    assert.match(notes[0]!, /crl\.pem \(number 1, 0 entries\) is valid until/);
    const made = await listIn(dir);
    const lifetime = (made.nextUpdate!.getTime() - made.thisUpdate.getTime()) / DAY_MS;
    assert.ok(Math.abs(lifetime - 825) < 0.001, `${lifetime}`);
  }));

Deno.test("renewList cuts the validity off at the end of the CA, and says so", () =>
  withClients(async (dir) => {
    const { notes } = await renewList({ dir, days: 36_500 });
    const ca = new X509Certificate(await Deno.readTextFile(`${dir}/ca.crt`));
    assert.equal((await listIn(dir)).nextUpdate!.getTime(), Date.parse(ca.validTo));
    assert.match(notes[0]!, /, when the CA expires$/);
  }));

Deno.test("revokeCertificate and renewCertificate warn when there is no list", () =>
  withClients(async (dir) => {
    assert.doesNotMatch(
      (await revokeCertificate({ dir, which: { name: "one" } })).notes.join("\n"),
      /warning/,
    );
    assert.doesNotMatch((await renewCertificate({ dir, name: "two" })).notes.join("\n"), /warning/);
    await Deno.remove(`${dir}/crl.pem`);
    const renewed = await renewCertificate({ dir, name: "one" });
    assert.match(
      renewed.notes.join("\n"),
      /warning: .*crl\.pem not found, so it is unknown whether one was/,
    );
    const revoked = await revokeCertificate({ dir, which: { name: "two" } });
    assert.match(revoked.notes.join("\n"), /warning: .*crl\.pem not found; the new list starts at number 1/);
  }));

Deno.test("revokeCertificate refuses unknown certificates and invalid options, and changes nothing", () =>
  withClients(async (dir) => {
    const stranger = await (await TestPki.create()).clientKey();
    await Deno.writeTextFile(`${dir}/stranger.crt`, stranger.cert);
    const before = await Deno.readTextFile(`${dir}/crl.pem`);
    const cases = [
      [{ which: { name: "unknown" } }, /Cannot revoke unknown: unknown\.crt not found/],
      [{ which: { name: "a/b" } }, /the name "a\/b"/],
      [{ which: { name: "stranger" } }, /stranger\.crt was not issued by the CA in the same folder/],
      [{ which: { serial: "xyz" } }, /the serial number "xyz"/],
      [{ which: { serial: await serialOf(`${dir}/ca.crt`) } }, /it is the CA itself/],
      [{ which: { name: "one" }, days: 0 }, /days is 0/],
    ] as const;
    for (const [options, message] of cases) {
      await assert.rejects(revokeCertificate({ dir, ...options }), withReason("bad_request", message));
    }
    assert.equal(await Deno.readTextFile(`${dir}/crl.pem`), before);
  }));

Deno.test("revokeCertificate changes no list that it cannot verify or keep completely", () =>
  withClients(async (dir) => {
    const own = await Deno.readTextFile(`${dir}/crl.pem`);
    await withClients(async (other) => {
      const foreign = await Deno.readTextFile(`${other}/crl.pem`);
      const texts = [
        [foreign, /crl\.pem: it was not signed by ca\.crt; move it away if it belongs to another CA/],
        [
          own + own,
          /crl\.pem: it contains 2 lists, but only .* this CA belongs here; move .* to where crl_file points/,
        ],
        ["hello", /crl\.pem: it has no entry BEGIN X509 CRL/],
        ["", /crl\.pem: it has no entry BEGIN X509 CRL/],
        [own.slice(0, 200), /crl\.pem: 1 entry is cut off, of 1 in all$/],
        [
          own.replace(/\n[^-\n]{40}/, "\n" + "A".repeat(40)),
          /crl\.pem: it cannot be read as a revocation list/,
        ],
      ] as const;
      for (const [text, message] of texts) {
        await Deno.writeTextFile(`${dir}/crl.pem`, text);
        const revoking = revokeCertificate({ dir, which: { name: "one" } });
        await assert.rejects(revoking, withReason("bad_request", message));
        assert.equal(await Deno.readTextFile(`${dir}/crl.pem`), text);
      }
    });
  }));

for (const [kind, command] of Object.entries(OPENSSL_KEYS)) {
  Deno.test(
    withOpenssl(`openssl accepts a list signed with a key of type ${kind}`, () =>
      withFolder(async (dir) => {
        await opensslAuthority(dir, command, "-addext", "keyUsage=critical,keyCertSign,cRLSign");
        for (const name of ["one", "two"]) await issueCertificate({ dir, name });
        await revokeCertificate({ dir, which: { name: "one" }, reason: "keyCompromise" });
        await revokeCertificate({ dir, which: { serial: "ff01" } });
        const verify = "verify -x509_strict -crl_check -CAfile ca.crt -CRLfile crl.pem";
        assert.match((await runOpenssl(dir, `${verify} one.crt`)).text, /certificate revoked/);
        assert.match(await openssl(dir, `${verify} two.crt`), /two\.crt: OK/);
        const text = await openssl(dir, "crl -in crl.pem -noout -text -CAfile ca.crt");
        assert.match(text, /^verify OK$/m);
        assert.match(text, /CRL Number:\s+2\n/);
        assert.match(text, /Serial Number: FF01\n/);
        assert.match(text, /CRL Reason Code:\s+Key Compromise\n/);
        assert.match(text, /Authority Key Identifier:/);
        // An entry without extensions has no empty list of them.
        assert.doesNotMatch(await openssl(dir, "asn1parse -in crl.pem"), /l= +0 cons: SEQUENCE/);
      })),
  );
}

Deno.test(
  withOpenssl("revokeCertificate continues a list made by openssl", () =>
    withFolder(async (dir) => {
      await opensslAuthority(
        dir,
        OPENSSL_KEYS["EC P-256, PKCS#8"]!,
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
      );
      await Deno.writeTextFile(
        `${dir}/ca.cnf`,
        [
          ...[
            "[ca]",
            "default_ca=own",
            "[own]",
            "database=index.txt",
            "certificate=ca.crt",
            "private_key=ca.key",
          ],
          ...[
            "default_md=sha256",
            "crlnumber=number",
            "default_crl_days=1",
            "crl_extensions=ext",
            "[ext]",
            "",
          ],
        ].join("\n"),
      );
      await Deno.writeTextFile(`${dir}/number`, "FE\n");
      // Revoked without a reason, and with a reason and the time of the compromise.
      const line = (revoked: string, serial: string) =>
        `R\t301231235959Z\t${revoked}\t${serial}\tunknown\t/CN=x\n`;
      const index = line("260101000000Z", "8A") + line("260102000000Z,keyTime,20251231000000Z", "0B");
      await Deno.writeTextFile(`${dir}/index.txt`, index);
      await openssl(dir, "ca -config ca.cnf -gencrl -out crl.pem");
      await issueCertificate({ dir, name: "one" });
      await revokeCertificate({ dir, which: { name: "one" } });
      const { number, entries } = await listIn(dir);
      assert.equal(number, 0xffn);
      assert.deepEqual(entries.map(({ serial }) => serial), ["0b", "8a", await serialOf(`${dir}/one.crt`)]);
      const text = await openssl(dir, "crl -in crl.pem -noout -text -CAfile ca.crt");
      assert.match(text, /^verify OK$/m);
      assert.match(text, /CRL Number:\s+(255|0xFF)\n/);
      assert.match(text, /Invalidity Date:\s+Dec 31 00:00:00 2025 GMT/);
      assert.match(text, /Serial Number: 8A\s+Revocation Date: Jan +1 00:00:00 2026 GMT/);
    })),
);

Deno.test(
  withOpenssl(
    "revokeCertificate says what to do about a CA that may not sign lists",
    () =>
      withFolder(async (dir) => {
        await opensslAuthority(
          dir,
          OPENSSL_KEYS["EC P-256, PKCS#8"]!,
          "-addext",
          "keyUsage=critical,keyCertSign",
        );
        const refused = withReason(
          "bad_request",
          /ca\.crt does not allow it, its key usage lacks cRLSign; create a new CA/,
        );
        await assert.rejects(revokeCertificate({ dir, which: { serial: "01" } }), refused);
        assert.equal((await namesIn(dir)).includes("crl.pem"), false);
      }),
  ),
);
