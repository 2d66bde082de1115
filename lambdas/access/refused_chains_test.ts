/** Purpose: chains that TLS refuses at the server are refused by the functions too. */
import "reflect-metadata"; // x509 needs it to be there first
import assert from "node:assert/strict";
import type { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { importPKCS8, SignJWT } from "jose";
import { audienceOf, CALL_TYPE } from "../../shared/cloud/call.ts";
import { parseCertificates } from "../../shared/pki/x509/pem.ts";
import { systemClock } from "../../shared/system_clock.ts";
import { openssl, withOpenssl } from "../../tests/support/pki/openssl.ts";
import { MadeCertificate } from "../../tests/support/pki/made_certificate.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { sClient } from "../../tests/support/pki/s_client.ts";
import { TestListener } from "../../tests/support/pki/tls_pair.ts";
import { AuthenticationError, CallVerifier } from "./call_verifier.ts";

const CA = new x509.BasicConstraintsExtension(true, undefined, true);
/** NameConstraints that permit DNS names under "example" (RFC 5280 section 4.2.1.10). */
const NAMES = new x509.Extension(
  "2.5.29.30",
  true,
  Uint8Array.fromHex("300da00b3009820765" + "78616d706c65"),
);
const FOREIGN_NAME = new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "a.test" }]);
const SERVER_ONLY = new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]);
const UNKNOWN = new x509.Extension("1.2.3.4", true, new Uint8Array([5, 0]));

/** A client, those that came with it, and the CA that is trusted. */
type Case = [leaf: MadeCertificate, others: MadeCertificate[], root: MadeCertificate];

const root = await MadeCertificate.authority("CN=root");

async function under(sub: MadeCertificate, extensions: x509.Extension[] = []): Promise<Case> {
  return [await MadeCertificate.client("CN=x", sub, extensions), [sub], root];
}

const CASES: Readonly<Record<string, () => Promise<Case>>> = {
  "a sub-CA without the usage": async () =>
    await under(await MadeCertificate.authority("CN=s", root, [SERVER_ONLY])),
  "a sub-CA whose name constraints are violated": async () =>
    await under(await MadeCertificate.authority("CN=s", root, [NAMES]), [FOREIGN_NAME]),
  "a CA whose name constraints are violated": async () => {
    const narrow = await MadeCertificate.authority("CN=narrow", undefined, [NAMES]);
    return [await MadeCertificate.client("CN=x", narrow, [FOREIGN_NAME]), [], narrow];
  },
  "a path that is longer than a sub-CA permits": async () => {
    const short = new x509.BasicConstraintsExtension(true, 0, true);
    const first = await MadeCertificate.create("CN=a", [short], root);
    const second = await MadeCertificate.authority("CN=b", first);
    return [await MadeCertificate.client("CN=x", second), [second, first], root];
  },
  "an unknown critical extension":
    async () => [await MadeCertificate.client("CN=x", root, [UNKNOWN]), [], root],
  "a sub-CA with an unknown critical extension": async () =>
    await under(await MadeCertificate.authority("CN=s", root, [UNKNOWN])),
  "a CA as leaf": async () => [await MadeCertificate.client("CN=x", root, [CA]), [], root],
};

const HOST = "abc.example";

/** A call that carries the whole chain, as an attacker would send it; agents send their own certificate alone. */
async function wholeChainCall(key: string, chain: readonly X509Certificate[]): Promise<string> {
  const claims = {
    aud: audienceOf("wake"),
    htm: "POST",
    host: HOST,
    path: "/",
    iat: Math.floor(Date.now() / 1000),
    jti: crypto.randomUUID(),
  };
  const x5c = chain.map(({ raw }) => raw.toString("base64"));
  const signed = await new SignJWT(claims).setProtectedHeader({ alg: "ES256", typ: CALL_TYPE, x5c })
    .sign(await importPKCS8(key, "ES256"));
  return `Bearer ${signed}`;
}

/** The refusal of a client that presented a certificate; one that presented none proves nothing here. */
const REASON = /^Cannot (accept the peer: its certificate |finish the handshake)/;

/** Asserts that neither the server nor the functions let a client in. */
async function assertRefused(client: { cert: string; key: string }, caPem: string): Promise<void> {
  const parse = (text: string) => parseCertificates({ bytes: new TextEncoder().encode(text), name: "test" });
  const authorities = parse(caPem);
  const pki = await TestPki.create();
  await using test = await TestListener.start({ ...await pki.server(), ca: caPem, authorities });
  const dir = await Deno.makeTempDir();
  try {
    // The runtime's own client does not send some of these.
    await Deno.writeTextFile(`${dir}/client.pem`, client.cert + client.key);
    const own = [
      "-cert",
      `${dir}/client.pem`,
      "-cert_chain",
      `${dir}/client.pem`,
      "-key",
      `${dir}/client.pem`,
    ];
    await sClient(test.listener.address.port, [...own, "-cipher", "DEFAULT@SECLEVEL=0"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  const { reason } = await test.refused();
  assert.match(reason.message, REASON);

  const authorization = await wholeChainCall(client.key, parse(client.cert));
  const call = { action: "wake", method: "POST", host: HOST, path: "/", authorization } as const;
  const revocation = () => assert.fail("asked for the list");
  await assert.rejects(new CallVerifier(systemClock).verify(call, { authorities, revocation }), (error) => {
    assert.ok(error instanceof AuthenticationError, String(error));
    assert.match(error.message, /^its certificate /);
    return true;
  });
}

for (const [what, make] of Object.entries(CASES)) {
  Deno.test(withOpenssl(`${what} is refused by the server and by the functions`, async () => {
    const [leaf, others, authority] = await make();
    await assertRefused(await leaf.certified(...others), authority.pem);
  }));
}

/** Keys and hashes of a CA that TLS does not take. */
const WEAK = {
  "a CA with a short RSA key": ["rsa:1024", "sha256"],
  "a signature with SHA-1": ["rsa:2048", "sha1"],
};

for (const [what, [algorithm, hash]] of Object.entries(WEAK)) {
  Deno.test(withOpenssl(`${what} is refused by the server and by the functions`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      await openssl(
        dir,
        `req -x509 -newkey ${algorithm} -nodes -days 1 -subj /CN=weak -keyout ca.key -out ca.crt`,
      );
      await Deno.writeTextFile(`${dir}/leaf.ext`, "extendedKeyUsage=clientAuth\n");
      const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key";
      await openssl(dir, `req ${newKey} -subj /CN=x -out leaf.csr`);
      const signer = "-CA ca.crt -CAkey ca.key -CAcreateserial";
      await openssl(dir, `x509 -req -in leaf.csr ${signer} -${hash} -days 1 -extfile leaf.ext -out leaf.crt`);
      const read = (name: string) => Deno.readTextFile(`${dir}/${name}`);
      await assertRefused(
        { cert: await read("leaf.crt"), key: await read("leaf.key") },
        await read("ca.crt"),
      );
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }));
}
