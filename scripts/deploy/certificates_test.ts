import assert from "node:assert/strict";
import { SSMClient } from "@aws-sdk/client-ssm";
import { initCertificates } from "../../agent/certs/init.ts";
import { renewList, revokeCertificate } from "../../agent/certs/revoke.ts";
import { FakeAws } from "../../tests/support/cloud/fake_aws.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { crlPem, testCrl } from "../../tests/support/pki/test_crl.ts";
import { printListEnd, readServerFiles, removeCertificates, requireList } from "./certificates.ts";
import { namesOf } from "./names.ts";

const DAY_MS = 86_400_000;

/** Calls `use` with a folder of certificates whose list ends at a time. */
async function withList(end: Date, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sallyport_certs_" });
  try {
    await initCertificates({ dir: `${folder}/certs` });
    const dir = `${folder}/certs`;
    const [cert, key] = await Promise.all(
      ["ca.crt", "ca.key"].map((name) => Deno.readTextFile(`${dir}/${name}`)),
    );
    const thisUpdate = new Date(Date.now() - 120_000);
    const list = await testCrl({ cert: cert!, key: key! }, { thisUpdate, nextUpdate: end });
    await Deno.writeTextFile(`${dir}/crl.pem`, crlPem(list));
    await use(dir);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const [days, isSoon] of [[13, true], [15, false]] as const) {
  Deno.test(`a deployment prints that a list is due in ${days} days${isSoon ? ", with a warning" : ""}`, async () => {
    const now = Date.now();
    await withList(new Date(now + (days + 0.5) * DAY_MS), async (dir) => {
      const printed: string[] = [];
      printListEnd(dir, await readServerFiles(dir), now, (line) => void printed.push(line));
      assert.match(printed[0]!, new RegExp(`the next one is due in ${days} days`));
      assert.equal(printed.length, isSoon ? 2 : 1);
      if (isSoon) assert.ok(printed[1]!.includes(`deno task -q certs crl --dir ${dir}`), printed[1]);
    });
  });
}

Deno.test("an expired list is refused with what to do, unless none is requested", async () => {
  await withList(new Date(Date.now() - 60_000), async (dir) => {
    await assert.rejects(readServerFiles(dir), /expired on .*deno task -q certs crl --dir/);
    assert.equal((await readServerFiles(dir, false)).crl, undefined);
  });
});

Deno.test("a CA without a list, and a revoked server certificate, are not deployed", async () => {
  const end = new Date(Date.now() + DAY_MS);
  await withList(end, async (dir) => {
    const ca = await Deno.readTextFile(`${dir}/ca.crt`);
    const { ca: other } = await TestPki.create("Older CA");
    await Deno.writeTextFile(`${dir}/ca.crt`, `${ca}\n${other}`);
    await assert.rejects(readServerFiles(dir), /it has no list of CN=Older CA/);
    await Deno.writeTextFile(`${dir}/ca.crt`, ca);
    const { notes } = await revokeCertificate({ dir, which: { name: "server" } });
    assert.match(notes.join("\n"), /agents without crl_file still accept it/);
    await assert.rejects(readServerFiles(dir), /server\.crt: it was revoked/);
  });
});

Deno.test("a list older than the one in force is refused, unless requested", async () => {
  const folder = await Deno.makeTempDir({ prefix: "sallyport_certs_" });
  const dir = `${folder}/certs`;
  let inForce = "";
  await using _aws = new FakeAws(() => ({ body: { Parameter: { Value: inForce } } }));
  const ssm = new SSMClient({});
  try {
    await initCertificates({ dir });
    const first = await Deno.readTextFile(`${dir}/crl.pem`);
    await revokeCertificate({ dir, which: { name: "client" } });
    inForce = await Deno.readTextFile(`${dir}/crl.pem`);
    const judge = async (allowsOlder = false) =>
      await requireList(ssm, namesOf("mine"), dir, await readServerFiles(dir), { allowsOlder });
    await judge();
    await Deno.writeTextFile(`${dir}/crl.pem`, first);
    await assert.rejects(judge(), /it has the number 1, and the list in force has 2 .*--allow-older-crl/);
    await judge(true);
    for (let number = 2; number <= 3; number++) await renewList({ dir });
    await assert.rejects(judge(), /it lacks 1 of the certificates that the list in force revokes \(serial /);
    await revokeCertificate({ dir, which: { name: "client" } });
    await judge();
    inForce = "damaged";
    await assert.rejects(judge(), /it cannot be compared with the list in force/);
    // Another CA, of which no revoked certificate is accepted.
    await initCertificates({ dir: `${folder}/other` });
    inForce = await Deno.readTextFile(`${folder}/other/crl.pem`);
    await judge();
  } finally {
    ssm.destroy();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the private key is removed first, and a failure does not stop the rest", async () => {
  const left = new Set(["/mine/certificate", "/mine/key", "/mine/ca", "/mine/crl"]);
  await using aws = new FakeAws((_action, { Name }) => {
    if (Name === "/mine/certificate" || Name === "/mine/crl") {
      return { status: 400, body: { __type: "AccessDeniedException", message: "not allowed" } };
    }
    left.delete(String(Name));
    return { body: {} };
  });
  const ssm = new SSMClient({});
  try {
    await assert.rejects(
      removeCertificates(ssm, namesOf("mine"), () => {}),
      /certificate not removed: not allowed; \/mine\/crl not removed: not allowed/,
    );
    assert.equal(aws.calls[0]?.input["Name"], "/mine/key");
    assert.deepEqual([...left], ["/mine/certificate", "/mine/crl"]);
  } finally {
    ssm.destroy();
  }
});

/** Files, and how many bytes of each can be deployed. */
const SIZES: Readonly<Record<string, number>> = {
  "ca.crt": 3_500,
  "server.crt": 8_192,
  "server.key": 8_192,
  "crl.pem": 8_192,
};

for (const [file, max] of Object.entries(SIZES)) {
  Deno.test(`a ${file} too large for AWS is refused before anything is uploaded`, async () => {
    await withList(new Date(Date.now() + DAY_MS), async (dir) => {
      const text = await Deno.readTextFile(`${dir}/${file}`);
      await Deno.writeTextFile(`${dir}/${file}`, text.padStart(max, "\n"));
      await readServerFiles(dir);
      await Deno.writeTextFile(`${dir}/${file}`, text.padStart(max + 1, "\n"));
      await assert.rejects(
        readServerFiles(dir),
        new RegExp(`${file}: it has ${max + 1} bytes, and at most ${max}`),
      );
    });
  });
}
