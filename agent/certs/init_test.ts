import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { SallyportError } from "../../shared/errors.ts";
import { loadIdentity } from "../../shared/pki/identity/identity.ts";
import { namesIn, withFolder } from "../../tests/support/pki/certificate_folder.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { initCertificates } from "./init.ts";

const NAMES = ["ca.crt", "ca.key", "client.crt", "client.key", "crl.pem", "server.crt", "server.key"];

async function certificate(path: string): Promise<X509Certificate> {
  return new X509Certificate(await Deno.readTextFile(path));
}

const existing = (path: string) => (error: unknown) =>
  error instanceof SallyportError && error.code === "bad_request" &&
  error.message ===
    `Cannot write ${path}: it already exists and is never overwritten; use another name or folder`;

Deno.test("initCertificates writes seven files that both programs can use", async () => {
  await withFolder(async (parent) => {
    const dir = `${parent}/new/certs`;
    const { files } = await initCertificates({ dir });
    assert.deepEqual(files.toSorted(), NAMES.map((name) => `${dir}/${name}`));
    assert.deepEqual(await namesIn(dir), NAMES);
    for (const [name, usage] of [["server", "serverAuth"], ["client", "clientAuth"]] as const) {
      const [cert, key, ca] = [`${dir}/${name}.crt`, `${dir}/${name}.key`, `${dir}/ca.crt`];
      await loadIdentity({ cert: { file: cert }, key: { file: key }, ca: { file: ca } }, usage);
    }
    const root = await certificate(`${dir}/ca.crt`);
    assert.equal(root.checkPrivateKey(createPrivateKey(await Deno.readTextFile(`${dir}/ca.key`))), true);
  });
});

Deno.test("initCertificates uses the given names and lifetime", async () => {
  await withFolder(async (dir) => {
    await initCertificates({ dir, serverName: "tunnel.example", clientName: "laptop", days: 3 });
    const server = await certificate(`${dir}/server.crt`);
    const client = await certificate(`${dir}/client.crt`);
    assert.equal(server.subjectAltName, "DNS:tunnel.example");
    assert.equal(server.subject, "CN=tunnel.example");
    assert.equal(client.subject, "CN=laptop");
    for (const { validFrom, validTo } of [server, client]) {
      const left = 3 * 86_400_000 - (Date.parse(validTo) - Date.parse(validFrom));
      assert.ok(left >= 0 && left < 60_000, `${validFrom} to ${validTo}`);
    }
  });
});

Deno.test("initCertificates reveals nothing about user or machine by default", async () => {
  await withFolder(async (dir) => {
    await initCertificates({ dir });
    const client = await certificate(`${dir}/client.crt`);
    const server = await certificate(`${dir}/server.crt`);
    assert.equal(client.subject, "CN=sallyport-client");
    assert.equal(server.subjectAltName, "DNS:sallyport-server");
  });
});

Deno.test({
  name: "initCertificates makes keys and folder accessible only to the owner",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (parent) => {
      const dir = `${parent}/certs`;
      await initCertificates({ dir });
      const modeOf = async (path: string) => (await Deno.stat(path)).mode! & 0o777;
      assert.equal(await modeOf(dir), 0o700);
      for (const name of ["ca", "server", "client"]) {
        assert.equal(await modeOf(`${dir}/${name}.key`), 0o600);
      }
    }),
});

for (const name of NAMES) {
  Deno.test(`initCertificates writes nothing when ${name} exists`, async () => {
    await withFolder(async (dir) => {
      await Deno.writeTextFile(`${dir}/${name}`, "mine");
      await assert.rejects(initCertificates({ dir }), existing(`${dir}/${name}`));
      assert.deepEqual(await namesIn(dir), [name]);
      assert.equal(await Deno.readTextFile(`${dir}/${name}`), "mine");
    });
  });
}

Deno.test({
  name: "initCertificates does not write through a dangling link",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withFolder(async (dir) => {
      await Deno.symlink(`${dir}/elsewhere`, `${dir}/server.key`);
      await assert.rejects(initCertificates({ dir }), existing(`${dir}/server.key`));
      assert.deepEqual(await namesIn(dir), ["server.key"]);
    }),
});

Deno.test("initCertificates removes what it wrote when a later file cannot be written", async () => {
  await withFolder(async (dir) => {
    // Two at once: the second may find files that the first created after its check, and must not harm them.
    const both = await Promise.allSettled([initCertificates({ dir }), initCertificates({ dir })]);
    const won = both.filter(({ status }) => status === "fulfilled").length;
    assert.ok(won <= 1, "both claim to have written the files");
    assert.deepEqual(await namesIn(dir), won === 1 ? NAMES : []);
  });
});

Deno.test("initCertificates says why a folder cannot be created", async () => {
  await withFolder(async (parent) => {
    await Deno.writeTextFile(`${parent}/file`, "");
    const dir = `${parent}/file/certs`;
    const refused = (error: unknown) =>
      error instanceof SallyportError && /: part of the path is not a directory$/.test(error.message);
    await assert.rejects(initCertificates({ dir }), refused);
  });
});

for (const days of [0, -1, 1.5, 40_000, NaN]) {
  Deno.test(`initCertificates refuses ${days} days`, async () => {
    await withFolder(async (dir) => {
      const refused = (error: unknown) =>
        error instanceof SallyportError && error.message.includes(`current value of days is ${days},`);
      await assert.rejects(initCertificates({ dir, days }), refused);
      assert.deepEqual(await namesIn(dir), []);
    });
  });
}

Deno.test("initCertificates refuses a client name with hidden characters, and writes nothing", () =>
  withFolder(async (dir) => {
    await assert.rejects(
      initCertificates({ dir, clientName: "ev\x1b[31mil" }),
      withReason("bad_request", /common name "ev\\u\{1b\}\[31mil"/),
    );
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  }));
