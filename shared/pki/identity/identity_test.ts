import assert from "node:assert/strict";
import { EXPIRED, NOT_YET_VALID, TestPki } from "../../../tests/support/pki/pki.ts";
import { whyMissing } from "../../../tests/support/tools.ts";
import { withReason } from "../../../tests/support/with_reason.ts";
import { loadIdentity } from "./identity.ts";
import type { IdentitySource } from "./identity.ts";

/** A valid source in memory, except for what a test changes. */
async function sourceOf(pki: TestPki, texts: { cert?: string; key?: string; ca?: string } = {}) {
  const { cert, key } = await pki.clientKey();
  const all = { cert, key, ca: pki.ca, ...texts };
  return { cert: { pem: all.cert }, key: { pem: all.key }, ca: { pem: all.ca } } satisfies IdentitySource;
}

const refused = (message: RegExp) => withReason("bad_request", message);

/** A PEM entry that is valid base64 but not a certificate. */
const BROKEN = "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n";

Deno.test("loadIdentity reads files and texts", async () => {
  const pki = await TestPki.create();
  const { cert, key } = await pki.clientKey();
  const dir = await Deno.makeTempDir();
  try {
    for (const [name, text] of [["a.crt", cert], ["a.key", key], ["ca.crt", pki.ca]] as const) {
      await Deno.writeTextFile(`${dir}/${name}`, text);
    }
    const files = {
      cert: { file: `${dir}/a.crt` },
      key: { file: `${dir}/a.key` },
      ca: { file: `${dir}/ca.crt` },
    };
    const loaded = await loadIdentity(files, "clientAuth");
    assert.equal(loaded.chain[0]!.subject, "CN=test-client");
    assert.equal(loaded.authorities[0]!.subject, "CN=Test CA");
    const fromTexts = await loadIdentity(await sourceOf(pki, { cert, key }));
    for (const part of ["cert", "key", "ca"] as const) assert.equal(fromTexts[part], loaded[part]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("loadIdentity gives TLS only what it has validated", async () => {
  const pki = await TestPki.create();
  const { cert, key } = await pki.clientKey();
  const noisy = `subject=/CN=x\r\n${cert.replaceAll("\n", "\r\n")}${key}`;
  const loaded = await loadIdentity(await sourceOf(pki, { cert: noisy, key }));
  assert.equal(loaded.cert.trim(), cert.trim());
});

Deno.test("loadIdentity names a missing file, and what to do", async () => {
  const source = await sourceOf(await TestPki.create());
  for (
    const [part, what, setting] of [
      ["cert", "certificate", "cert_file"],
      ["key", "private key", "key_file"],
      ["ca", "CA certificate", "ca_cert_file"],
      ["crl", "revocation list", "crl_file"],
    ] as const
  ) {
    const reading = `^Cannot read ${what} /no/such/file: no such file or directory; `;
    const missing = { file: "/no/such/file" };
    const advice = "correct it, or make certificates with npx .* certs init$";
    await assert.rejects(
      loadIdentity({ ...source, [part]: missing }),
      refused(new RegExp(`${reading}${setting} sets this path: ${advice}`)),
    );
    await assert.rejects(
      loadIdentity({ ...source, [part]: missing }, undefined, { pathsFrom: "--certs" }),
      refused(new RegExp(`${reading}--certs sets this path: ${advice}`)),
    );
    await assert.rejects(
      loadIdentity({ ...source, [part]: { ...missing, isDefault: true } }),
      refused(new RegExp(`${reading}this is the default of ${setting}: ${advice}`)),
    );
  }
});

Deno.test("loadIdentity refuses a key of another certificate", async () => {
  const pki = await TestPki.create();
  const { key } = await pki.serverKey();
  const expected =
    /^Cannot use private key given as text: it is not the key of the certificate given as text; /;
  await assert.rejects(loadIdentity(await sourceOf(pki, { key })), refused(expected));
});

Deno.test("loadIdentity refuses a text that is not a private key", async () => {
  const pki = await TestPki.create();
  const { cert, key } = await pki.clientKey();
  for (const text of ["", "hello", cert, key.slice(0, -60)]) {
    const expected = /^Cannot use private key given as text: it cannot be read as a PEM private key; /;
    await assert.rejects(loadIdentity(await sourceOf(pki, { key: text })), refused(expected));
  }
  const locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  await assert.rejects(
    loadIdentity(await sourceOf(pki, { key: locked })),
    refused(/encrypted with a passphrase/),
  );
});

Deno.test("loadIdentity refuses a CA file with an entry that TLS would silently drop", async () => {
  const pki = await TestPki.create();
  const load = async (ca: string) => await loadIdentity(await sourceOf(pki, { ca }));
  await assert.rejects(
    load(""),
    refused(/^Cannot use CA certificate given as text: it has no entry BEGIN CERT/),
  );
  await assert.rejects(load(pki.ca + BROKEN), refused(/: entry 2 cannot be read as a certificate$/));
  await assert.rejects(load(BROKEN + pki.ca), refused(/: entry 1 cannot be read as a certificate$/));
  await assert.rejects(load(pki.ca + pki.ca.slice(0, -40)), refused(/: 1 entry is cut off, of 2 in all$/));
  const trusted = pki.ca.replaceAll("CERTIFICATE", "TRUSTED CERTIFICATE");
  await assert.rejects(load(pki.ca + trusted), refused(/it has an entry "TRUSTED CERTIFICATE"/));
});

Deno.test("loadIdentity accepts several CAs, and no certificate that is not a CA", async () => {
  const pki = await TestPki.create();
  const other = await TestPki.create("Other CA");
  const both = await loadIdentity(await sourceOf(pki, { ca: other.ca + pki.ca }));
  assert.deepEqual(both.authorities.map(({ subject }) => subject), ["CN=Other CA", "CN=Test CA"]);
  const { cert } = await pki.serverKey();
  const expected = /^Cannot use CA certificate given as text: entry 2 is not a CA certificate; /;
  await assert.rejects(loadIdentity(await sourceOf(pki, { ca: pki.ca + cert })), refused(expected));
});

Deno.test("loadIdentity refuses a certificate that no peer would accept", async () => {
  const pki = await TestPki.create();
  const other = await TestPki.create("Other CA");
  const load = async (own: { cert: string; key: string }) =>
    await loadIdentity(await sourceOf(pki, own), "clientAuth");
  await assert.rejects(
    load(await pki.clientKey(EXPIRED)),
    refused(
      /^Cannot use certificate .*: it expired on .*; renew it with "npx .* certs renew", or correct the clock/,
    ),
  );
  await assert.rejects(load(await pki.clientKey(NOT_YET_VALID)), refused(/: it is not valid before /));
  await assert.rejects(
    load(await other.clientKey()),
    refused(/: it was issued by CN=Other CA, not by CN=Test CA$/),
  );
  await assert.rejects(load(await pki.serverKey()), refused(/: it is not for clientAuth/));
});

const missing = await whyMissing("openssl", "version");

for (const algorithm of ["rsa:2048", "ed25519", "P-384"]) {
  Deno.test({
    name: `loadIdentity accepts a chain made by openssl, ${algorithm}${missing ? `: ${missing}` : ""}`,
    ignore: missing !== undefined,
    async fn() {
      const dir = await Deno.makeTempDir();
      try {
        await makeChain(dir, algorithm);
        const file = (name: string) => ({ file: `${dir}/${name}` });
        const source = { cert: file("leaf.pem"), key: file("leaf.key"), ca: file("root.crt") };
        const { chain, authorities } = await loadIdentity(source, "serverAuth");
        assert.deepEqual(chain.map(({ subject }) => subject), ["CN=leaf", "CN=middle"]);
        assert.deepEqual(authorities.map(({ subject }) => subject), ["CN=root"]);
        const without = { ...source, cert: file("leaf.crt") };
        await assert.rejects(loadIdentity(without), refused(/was issued by CN=middle, not by CN=root$/));
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  });
}

for (
  const [algorithm, reason] of [
    [
      "secp256k1",
      /^Cannot use private key .*: keys of type secp256k1 are not supported; use RSA, P-256, /,
    ],
    ["rsa:1024", /^Cannot use private key .*: TLS refuses it: .*key too small/],
  ] as const
) {
  Deno.test({
    name: `loadIdentity refuses a key that TLS cannot use, ${algorithm}${missing ? `: ${missing}` : ""}`,
    ignore: missing !== undefined,
    async fn() {
      const dir = await Deno.makeTempDir();
      try {
        await makeChain(dir, algorithm);
        const file = (name: string) => ({ file: `${dir}/${name}` });
        const source = { cert: file("leaf.pem"), key: file("leaf.key"), ca: file("root.crt") };
        await assert.rejects(loadIdentity(source, "serverAuth"), refused(reason));
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  });
}

/** A root CA, an intermediate CA and a server certificate; leaf.pem contains the last two. */
async function makeChain(dir: string, algorithm: string): Promise<void> {
  const curve = /^(P-|secp)/.test(algorithm) ? ` -pkeyopt ec_paramgen_curve:${algorithm}` : "";
  const newKey = `-newkey ${curve === "" ? algorithm : "ec"}${curve} -nodes`;
  const run = async (args: string) => {
    const { success, stderr } = await new Deno.Command("openssl", { args: args.split(" "), cwd: dir })
      .output();
    assert.ok(success, new TextDecoder().decode(stderr));
  };
  await Deno.writeTextFile(`${dir}/middle.ext`, "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n");
  await Deno.writeTextFile(`${dir}/leaf.ext`, "subjectAltName=DNS:a\nextendedKeyUsage=serverAuth\n");
  await run(`req -x509 ${newKey} -days 2 -subj /CN=root -keyout root.key -out root.crt`);
  for (const [name, issuer] of [["middle", "root"], ["leaf", "middle"]]) {
    await run(`req ${newKey} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`);
    const ca = `-CA ${issuer}.crt -CAkey ${issuer}.key -CAcreateserial`;
    await run(`x509 -req -in ${name}.csr ${ca} -days 2 -extfile ${name}.ext -out ${name}.crt`);
  }
  const parts = await Promise.all(["leaf", "middle"].map((name) => Deno.readTextFile(`${dir}/${name}.crt`)));
  await Deno.writeTextFile(`${dir}/leaf.pem`, parts.join(""));
}

Deno.test("loadIdentity refuses more certificates than peers accept", async () => {
  const pki = await TestPki.create();
  const { cert, key } = await pki.clientKey();
  const source = await sourceOf(pki, { cert: cert + pki.ca.repeat(4), key });
  await assert.rejects(loadIdentity(source), refused(/it came in a chain of 5 certificates, and at most 4/));
});
