import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { opensslAuthority, withFolder } from "../../../tests/support/pki/certificate_folder.ts";
import { openssl, withOpenssl } from "../../../tests/support/pki/openssl.ts";
import { EXPIRED, NOT_YET_VALID, TestPki } from "../../../tests/support/pki/pki.ts";
import { withReason } from "../../../tests/support/with_reason.ts";
import { initCertificates } from "../init.ts";
import { issueCertificate } from "../issue.ts";
import { requireSerial } from "../authority/names.ts";
import type { CertificateReport, ListReport, Report } from "./report.ts";
import { reportText } from "./report_text.ts";
import { renewList, revokeCertificate } from "../revoke.ts";
import { showCertificates } from "./show.ts";

const DAY_MS = 86_400_000;

function withClient(use: (dir: string) => Promise<void>): Promise<void> {
  return withFolder(async (dir) => {
    await initCertificates({ dir });
    await issueCertificate({ dir, name: "laptop", days: 30, dns: ["a.example"], uri: ["spiffe://x/y"] });
    await use(dir);
  });
}

async function showOne<T extends Report = CertificateReport>(file: string, now?: Date): Promise<T> {
  const reports = await showCertificates({ files: [file], ...now === undefined ? {} : { now } });
  assert.equal(reports.length, 1);
  return reports[0] as T;
}

Deno.test("showCertificates reports the fields and state of a certificate", () =>
  withClient(async (dir) => {
    const file = `${dir}/laptop.crt`;
    const certificate = new X509Certificate(await Deno.readTextFile(file));
    const report = await showOne(file);
    assert.deepEqual(report, {
      kind: "certificate",
      file,
      entry: 1,
      subject: "CN=laptop",
      issuer: certificate.issuer,
      names: ["dns:a.example", "uri:spiffe://x/y"],
      usages: ["clientAuth"],
      isAuthority: false,
      serial: requireSerial(certificate.serialNumber),
      notBefore: new Date(certificate.validFrom).toISOString(),
      notAfter: new Date(certificate.validTo).toISOString(),
      daysLeft: 29,
      sha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
      key: { file: `${dir}/laptop.key`, state: "fits" },
      revocation: { state: "good" },
      problems: [],
      warnings: [],
    });
  }));

Deno.test("showCertificates shows every certificate and the list in a folder", () =>
  withClient(async (dir) => {
    await Deno.writeTextFile(`${dir}/notes.txt`, "hello");
    const reports = await showCertificates({ dir });
    const files = ["ca.crt", "client.crt", "crl.pem", "laptop.crt", "server.crt"].map((name) =>
      `${dir}/${name}`
    );
    assert.deepEqual(reports.map(({ file }) => file), files);
    assert.deepEqual(reports.flatMap(({ problems }) => problems), []);
    assert.deepEqual(reports.filter((each) => each.kind === "certificate" && each.isAuthority).length, 1);
  }));

Deno.test("showCertificates reports the entries of a list", () =>
  withClient(async (dir) => {
    await revokeCertificate({ dir, which: { serial: "ab" }, reason: "superseded" });
    const report = await showOne<ListReport>(`${dir}/crl.pem`);
    const { number, signature, entries, daysLeft, problems } = report;
    assert.deepEqual([number, signature, daysLeft, problems], ["2", "good", 824, []]);
    assert.deepEqual(entries.map(({ serial, reason }) => [serial, reason]), [["ab", "superseded"]]);
    assert.match(reportText([report]), /revoked +ab on 2.*Z \(superseded\)\n/);
  }));

Deno.test("showCertificates reports what is expired or not yet valid", () =>
  withClient(async (dir) => {
    const later = new Date(Date.now() + 31 * DAY_MS);
    const laptop = await showOne(`${dir}/laptop.crt`, later);
    assert.deepEqual([laptop.daysLeft, laptop.problems], [-2, [
      `it expired on ${laptop.notAfter}; renew it with "certs renew"`,
    ]]);
    const earlier = new Date(Date.now() - DAY_MS);
    const young = await showOne(`${dir}/laptop.crt`, earlier);
    assert.deepEqual(young.problems, [`it is not valid before ${young.notBefore}`]);
    const muchLater = new Date(Date.now() + 826 * DAY_MS);
    const list = await showOne<ListReport>(`${dir}/crl.pem`, muchLater);
    assert.deepEqual(list.problems, [`it expired on ${list.nextUpdate}; sign a new one with "certs crl"`]);
    const soon = await showOne<ListReport>(`${dir}/crl.pem`, earlier);
    assert.deepEqual(soon.problems, [`it is not valid before ${soon.thisUpdate}`]);
    const pki = await TestPki.create();
    for (
      const [dates, problem] of [[EXPIRED, /^it expired on/], [
        NOT_YET_VALID,
        /^it is not valid before/,
      ]] as const
    ) {
      await withFolder(async (other) => {
        await Deno.writeTextFile(`${other}/a.crt`, (await pki.clientKey(dates)).cert);
        assert.match((await showOne(`${other}/a.crt`)).problems[0]!, problem);
      });
    }
  }));

Deno.test("showCertificates reports a revoked certificate", () =>
  withClient(async (dir) => {
    await revokeCertificate({ dir, which: { name: "laptop" }, reason: "keyCompromise" });
    const { revocation, problems } = await showOne(`${dir}/laptop.crt`);
    assert.equal(revocation.state, "revoked");
    assert.match(problems[0]!, /^it was revoked on 2.*Z \(keyCompromise\)$/);
    assert.deepEqual((await showOne(`${dir}/client.crt`)).problems, []);
  }));

Deno.test("showCertificates reports whether the key file matches", () =>
  withClient(async (dir) => {
    const stateWith = async (change: () => Promise<void>) => {
      await change();
      const { key, problems } = await showOne(`${dir}/laptop.crt`);
      return [key?.state, problems] as const;
    };
    const key = `${dir}/laptop.key`;
    const other = await stateWith(() => Deno.copyFile(`${dir}/client.key`, key));
    assert.deepEqual(other, ["does not fit", [`${key} is not its key`]]);
    const broken = await stateWith(() => Deno.writeTextFile(key, "hello"));
    assert.deepEqual(broken, ["unreadable", [`${key} cannot be read as a private key`]]);
    assert.deepEqual(await stateWith(() => Deno.remove(key)), ["absent", []]);
  }));

Deno.test("showCertificates checks the old pair of a renewal", () =>
  withClient(async (dir) => {
    for (const kind of ["crt", "key"]) {
      await Deno.rename(`${dir}/laptop.${kind}`, `${dir}/laptop.${kind}.old`);
    }
    const { key, problems } = await showOne(`${dir}/laptop.crt.old`);
    assert.deepEqual([key, problems], [{ file: `${dir}/laptop.key.old`, state: "fits" }, []]);
  }));

Deno.test("showCertificates reports files of different CAs", () =>
  withClient(async (dir) => {
    await withClient(async (other) => {
      await Deno.copyFile(`${other}/laptop.crt`, `${dir}/stranger.crt`);
      const stranger = await showOne(`${dir}/stranger.crt`);
      assert.match(
        stranger.problems[0]!,
        /^it was not issued by ca\.crt in the same folder but by CN=Sallyport CA /,
      );
      await Deno.copyFile(`${other}/crl.pem`, `${dir}/crl.pem`);
      const list = await showOne<ListReport>(`${dir}/crl.pem`);
      assert.deepEqual([list.signature, list.problems], ["bad", [
        "it was not signed by ca.crt in the same folder",
      ]]);
      const laptop = await showOne(`${dir}/laptop.crt`);
      assert.equal(laptop.revocation.state, "unknown");
      assert.match(
        laptop.problems[0]!,
        /^revocation unknown: crl\.pem in the same folder was not signed/,
      );
    });
  }));

Deno.test("showCertificates reports unknown revocation without a usable list or CA", () =>
  withClient(async (dir) => {
    await Deno.writeTextFile(`${dir}/crl.pem`, "hello");
    assert.match(
      (await showOne(`${dir}/laptop.crt`)).problems[0]!,
      /revocation unknown: Cannot use .*crl\.pem: it has no entry/,
    );
    await renewListAfterRemoval(dir);
    await Deno.remove(`${dir}/ca.crt`);
    assert.match(
      (await showOne(`${dir}/laptop.crt`)).problems[0]!,
      /revocation unknown: there is no ca\.crt in the same folder/,
    );
    assert.equal((await showOne<ListReport>(`${dir}/crl.pem`)).signature, "not checked");
    await Deno.remove(`${dir}/crl.pem`);
    const { revocation, problems } = await showOne(`${dir}/laptop.crt`);
    assert.deepEqual([revocation.state, problems], ["no list", []]);
  }));

async function renewListAfterRemoval(dir: string): Promise<void> {
  await Deno.remove(`${dir}/crl.pem`);
  await renewList({ dir });
}

Deno.test("showCertificates reports each file that it cannot read, and continues", () =>
  withClient(async (dir) => {
    const text = `${dir}/text`;
    await Deno.writeTextFile(text, "hello");
    const reports = await showCertificates({
      files: [text, `${dir}/nothing`, `${dir}/laptop.key`, `${dir}/laptop.crt`],
    });
    assert.deepEqual(reports.map(({ kind }) => kind), [
      "unreadable",
      "unreadable",
      "unreadable",
      "certificate",
    ]);
    const problems = reports.flatMap((report) => report.problems);
    assert.match(problems[0]!, /text: it has no entry BEGIN CERTIFICATE; /);
    assert.match(problems[1]!, /Cannot read .*nothing: not found$/);
    assert.match(problems[2]!, /laptop\.key: it has no entry BEGIN CERTIFICATE; /);
    assert.equal(problems.length, 3);
  }));

Deno.test("showCertificates says why there is nothing to show", async () => {
  await withFolder(async (dir) => {
    await assert.rejects(
      showCertificates({ dir }),
      withReason("bad_request", /no \.crt file and no crl\.pem found$/),
    );
    const missing = withReason(
      "internal",
      /Cannot read the folder .*no: no such file or directory$/,
    );
    await assert.rejects(showCertificates({ dir: `${dir}/no` }), missing);
  });
});

Deno.test("showCertificates never shows any part of a key", () =>
  withClient(async (dir) => {
    await Deno.copyFile(`${dir}/laptop.crt`, `${dir}/both.pem`);
    await Deno.writeTextFile(`${dir}/both.pem`, await Deno.readTextFile(`${dir}/laptop.key`), {
      append: true,
    });
    const reports = await showCertificates({
      dir,
      files: [`${dir}/both.pem`, `${dir}/laptop.key`, `${dir}/ca.key`],
    });
    const shown = reportText(reports) + JSON.stringify(reports);
    for (const name of ["laptop", "ca"]) {
      const key = (await Deno.readTextFile(`${dir}/${name}.key`)).split("\n").slice(1, -2);
      for (const line of key) assert.equal(shown.includes(line.slice(0, 16)), false, name);
    }
  }));

Deno.test("reportText escapes terminal control sequences", async () => {
  await withFolder(async (dir) => {
    const pki = await TestPki.create();
    await Deno.writeTextFile(
      `${dir}/a.crt`,
      (await pki.clientKey({ commonName: "a\x1b[2Jb\nc\u202e" })).cert,
    );
    const text = reportText(await showCertificates({ dir }));
    assert.match(text, /subject +CN=a\\u\{1b\}\[2Jb\\0Ac\\u\{202e\}\n/);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\u202e]/);
  });
});

Deno.test(
  withOpenssl(
    "showCertificates reads DER, chains and the output of other programs",
    () =>
      withFolder(async (dir) => {
        await opensslAuthority(dir, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out ca.key");
        await issueCertificate({ dir, name: "laptop" });
        await revokeCertificate({ dir, which: { serial: "01" } });
        await openssl(dir, "x509 -in laptop.crt -outform DER -out laptop.cer");
        await openssl(dir, "crl -in crl.pem -outform DER -out list.der");
        await Deno.writeTextFile(`${dir}/chain.pem`, await openssl(dir, "x509 -in laptop.crt -text"));
        await Deno.writeTextFile(`${dir}/chain.pem`, await Deno.readTextFile(`${dir}/ca.crt`), {
          append: true,
        });
        const files = ["laptop.cer", "list.der", "chain.pem"].map((name) => `${dir}/${name}`);
        const reports = await showCertificates({ files });
        assert.deepEqual(reports.map((each) => [each.kind, "entry" in each && each.entry, each.problems]), [
          ["certificate", 1, []],
          ["crl", 1, []],
          ["certificate", 1, []],
          ["certificate", 2, []],
        ]);
        assert.match(reportText(reports), /chain\.pem, entry 2\n +subject +C=DE, O=/);
      }),
  ),
);

Deno.test({
  name: "showCertificates warns about a key that other users can read",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withClient(async (dir) => {
      await Deno.chmod(`${dir}/laptop.key`, 0o644);
      const reports = await showCertificates({ files: [`${dir}/laptop.crt`] });
      const [report] = reports;
      assert.ok(report?.kind === "certificate");
      assert.deepEqual(report.problems, []);
      assert.match(report.warnings[0]!, /laptop\.key is open to other users \(mode 0644\): chmod 600 /);
      assert.match(reportText(reports), /WARNING +the private key .*: chmod 600 .*laptop\.key\n/);
    }),
});
