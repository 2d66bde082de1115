import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { importPKCS8, SignJWT } from "jose";
import { signCall, type UnsignedCall } from "../../agent/cloud/sign_call.ts";
import { type Action, ACTIONS, CALL_TYPE } from "../../shared/cloud/call.ts";
import { createClientRules } from "../../shared/clients/rules.ts";
import type { Identity } from "../../shared/pki/identity/identity.ts";
import { clientIdentity } from "../../shared/pki/peer_verification.ts";
import { loadRevocationLists } from "../../shared/pki/load_revocation_lists.ts";
import { parseAuthorities, parseCertificates } from "../../shared/pki/x509/pem.ts";
import { countChecks, MadeCertificate } from "../../tests/support/pki/made_certificate.ts";
import { openssl, withOpenssl } from "../../tests/support/pki/openssl.ts";
import { EXPIRED, NOT_YET_VALID, TestPki } from "../../tests/support/pki/pki.ts";
import { testCrl } from "../../tests/support/pki/test_crl.ts";
import { withSecondSignature } from "../../tests/support/pki/second_signature.ts";
import { AuthenticationError, type Call, CallVerifier, type Trust } from "./call_verifier.ts";

const HOST = "abc.lambda-url.eu-central-1.on.aws";
const pki = await TestPki.create();
const identity = await pki.client();
const trust: Trust = { authorities: identity.authorities, revocation: () => Promise.resolve(undefined) };
/** A time at which the certificates are valid. */
const NOW = Date.now();

function material(text: string) {
  return { bytes: new TextEncoder().encode(text), name: "of a test" };
}

/** Certificate and key of an identity that need not be good. */
function unchecked({ cert, key }: { cert: string; key: string }): Pick<Identity, "key" | "chain"> {
  return { key, chain: parseCertificates(material(cert)) };
}

function verifier(at = NOW): CallVerifier {
  return new CallVerifier({ now: () => at, wallTime: () => at, after: () => () => {} });
}

const wake: UnsignedCall = { action: "wake", method: "POST", url: new URL(`https://${HOST}/`), now: NOW };
const asked: Omit<Call, "authorization"> = { action: "wake", method: "POST", host: HOST, path: "/" };

async function bearer(change: Partial<UnsignedCall> = {}, who: Pick<Identity, "key" | "chain"> = identity) {
  return `Bearer ${await signCall({ ...wake, ...change }, who)}`;
}

/** Signs claims of a test's own, with the client's key. */
async function handMade(
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  const key = createPrivateKey(identity.key).export({ type: "pkcs8", format: "pem" }) as string;
  const all = {
    aud: "sallyport:wake",
    htm: "POST",
    host: HOST,
    path: "/",
    iat: NOW / 1000,
    jti: "0123456789abcdef",
  };
  const x5c = identity.chain.map(({ raw }) => raw.toString("base64"));
  return `Bearer ${await new SignJWT({ ...all, ...claims })
    .setProtectedHeader({ alg: "ES256", typ: CALL_TYPE, x5c, ...header })
    .sign(await importPKCS8(key, "ES256"))}`;
}

const refused = (reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof AuthenticationError, String(error));
  assert.match(error.message, reason);
  return true;
};

Deno.test("a caller with a valid certificate is authenticated, with its name", async () => {
  const caller = await verifier().verify({ ...asked, authorization: await bearer() }, trust);
  const leaf = identity.chain[0]!;
  const { serialNumber: serial } = leaf;
  assert.deepEqual(caller, { commonName: "test-client", serial, identity: clientIdentity(leaf) });
});

Deno.test("a caller cannot get another identity by another signature of its certificate", async () => {
  const second = withSecondSignature(identity.chain[0]!);
  const authorization = await handMade({}, { x5c: [second.raw.toString("base64")] });
  const caller = await verifier().verify({ ...asked, authorization }, trust);
  assert.equal(caller.identity, clientIdentity(identity.chain[0]!));
});

Deno.test("a caller without an entry in clients.allow is refused, for every action", async () => {
  const clock = { now: () => NOW, wallTime: () => NOW, after: () => () => {} };
  const verify = async (action: Action, ...clients: string[]) => {
    const rules = createClientRules(clients.map((client) => ({ client })));
    const authorization = await bearer({ action });
    return await new CallVerifier(clock, rules).verify({ ...asked, action, authorization }, trust);
  };
  for (const action of ACTIONS) {
    assert.equal((await verify(action, "dns:x.example", "cn:test-*")).commonName, "test-client");
    await assert.rejects(
      verify(action, "cn:laptop-*"),
      refused(/clients\.allow does not name "test-client"/),
    );
  }
});

Deno.test("a caller outside clients.allow cannot use up the id of another call", async () => {
  const clock = { now: () => NOW, wallTime: () => NOW, after: () => () => {} };
  let named = false;
  const verifier = new CallVerifier(clock, () => named ? 0 : undefined);
  const call = { ...asked, authorization: await bearer() };
  await assert.rejects(verifier.verify(call, trust), refused(/clients\.allow/));
  named = true;
  await verifier.verify(call, trust);
});

for (const action of ["wake", "query", "kill"] as const) {
  Deno.test(`a call for ${action} is accepted for that action alone`, async () => {
    const authorization = await bearer({ action });
    await verifier().verify({ ...asked, action, authorization }, trust);
    const other = action === "wake" ? "kill" : "wake";
    await assert.rejects(
      verifier().verify({ ...asked, action: other, authorization }, trust),
      refused(/the function \(aud\)/),
    );
  });
}

/** Invalid calls, each with the reason in the log. */
const WRONG: Readonly<
  Record<
    string,
    [reason: RegExp, make: () => Promise<{ authorization?: string | undefined } & Partial<Call>>]
  >
> = {
  "no token": [/no usable bearer token/, () => Promise.resolve({ authorization: undefined })],
  "another scheme": [
    /no usable bearer token/,
    async () => ({ authorization: (await bearer()).replace("Bearer", "Basic") }),
  ],
  "garbage": [/no usable bearer token/, () => Promise.resolve({ authorization: "Bearer a.b" })],
  "a token that is too long": [
    /no usable bearer token/,
    () => Promise.resolve({ authorization: `Bearer ${"a".repeat(20_000)}.b.c` }),
  ],
  "a header that is not JSON": [
    /header of its token is invalid/,
    () => Promise.resolve({ authorization: "Bearer a.b.c" }),
  ],
  "an altered payload": [/signature verification failed/, async () => {
    const [head, , signature] = (await bearer()).split(".");
    const [, other] = (await bearer({ now: NOW + 1_000 })).split(".");
    return { authorization: `${head}.${other}.${signature}` };
  }],
  "another method": [/the method/, async () => ({ authorization: await bearer(), method: "GET" })],
  "another host": [/the host/, async () => ({ authorization: await bearer(), host: `x${HOST}` })],
  "another path": [/the path/, async () => ({ authorization: await bearer(), path: "/x" })],
  "an age of over 60 s": [/signed 61/, async () => ({ authorization: await bearer({ now: NOW - 61_000 }) })],
  "a time over 60 s ahead": [
    /signed -6[12]/,
    async () => ({ authorization: await bearer({ now: NOW + 62_000 }) }),
  ],
  "no time": [/iat/, async () => ({ authorization: await handMade({ iat: undefined }) })],
  "a time that is no number": [/iat/, async () => ({ authorization: await handMade({ iat: "now" }) })],
  "no id": [/jti/, async () => ({ authorization: await handMade({ jti: undefined }) })],
  "an id that is too short": [/jti/, async () => ({ authorization: await handMade({ jti: "1" }) })],
  "an audience of its own": [
    /the function \(aud\)/,
    async () => ({ authorization: await handMade({ aud: "wake" }) }),
  ],
  "another type of token": [
    /header of its token is invalid: typ/,
    async () => ({ authorization: await handMade({}, { typ: "JWT" }) }),
  ],
  "no certificate": [
    /header of its token is invalid: x5c/,
    async () => ({ authorization: await handMade({}, { x5c: [] }) }),
  ],
  "bytes behind its certificate": [/certificate cannot be read/, async () => {
    const x5c = [new Uint8Array([...identity.chain[0]!.raw, 1, 2, 3, 4]).toBase64()];
    return { authorization: await handMade({}, { x5c }) };
  }],
  "its certificate as PEM": [/certificate cannot be read/, async () => {
    const x5c = [new TextEncoder().encode(identity.chain[0]!.toString()).toBase64()];
    return { authorization: await handMade({}, { x5c }) };
  }],
  "a certificate that is none": [
    /certificate cannot be read/,
    async () => ({ authorization: await handMade({}, { x5c: ["AAAA"] }) }),
  ],
  "five certificates": [/x5c/, async () => {
    const der = identity.chain[0]!.raw.toString("base64");
    return { authorization: await handMade({}, { x5c: [der, der, der, der, der] }) };
  }],
  "a server's certificate": [
    /not for clientAuth/,
    async () => ({ authorization: await bearer({}, unchecked(await pki.serverKey())) }),
  ],
  "an expired certificate": [
    /expired/,
    async () => ({ authorization: await bearer({}, unchecked(await pki.clientKey(EXPIRED))) }),
  ],
  "a certificate that is not valid yet": [
    /not valid before/,
    async () => ({ authorization: await bearer({}, unchecked(await pki.clientKey(NOT_YET_VALID))) }),
  ],
  "a certificate of another CA of the same name": [
    /issued by another/,
    async () => ({ authorization: await bearer({}, unchecked(await (await TestPki.create()).clientKey())) }),
  ],
  "another client's certificate": [/signature verification failed/, async () => {
    const other = unchecked(await pki.clientKey());
    return { authorization: await bearer({}, { key: other.key, chain: identity.chain }) };
  }],
  "a key of HMAC": [/header of its token is invalid: alg/, () => {
    const head = btoa(JSON.stringify({ alg: "HS256", typ: CALL_TYPE, x5c: ["AAAA"] })).replaceAll("=", "");
    return Promise.resolve({ authorization: `Bearer ${head}.e30.AAAA` });
  }],
  "no signature at all": [/header of its token is invalid: alg/, () => {
    const head = btoa(JSON.stringify({ alg: "none", typ: CALL_TYPE, x5c: ["AAAA"] })).replaceAll("=", "");
    return Promise.resolve({ authorization: `Bearer ${head}.e30.AAAA` });
  }],
};

for (const [what, [reason, make]] of Object.entries(WRONG)) {
  Deno.test(`a call with ${what} is refused`, async () => {
    const change = await make();
    await assert.rejects(
      verifier().verify({ ...asked, authorization: undefined, ...change }, trust),
      refused(reason),
    );
  });
}

/** Calls that cost nothing but comparisons, since they are not meant for this function or not of now. */
const CHEAP = [
  "another method",
  "another host",
  "another path",
  "an age of over 60 s",
  "an audience of its own",
];

for (const what of CHEAP) {
  Deno.test(`a call with ${what} costs no signature check and no read of the revocation list`, async () => {
    const [reason, make] = WRONG[what]!;
    const call = { ...asked, authorization: undefined, ...await make() };
    const revocation = () => assert.fail("asked for the list");
    const checks = await countChecks(() =>
      assert.rejects(verifier().verify(call, { ...trust, revocation }), refused(reason))
    );
    assert.equal(checks, 0);
  });
}

Deno.test("the revocation list is not read for a call with an invalid certificate or signature", async () => {
  const revocation = () => assert.fail("asked for the list");
  for (const what of ["an expired certificate", "an altered payload", "another client's certificate"]) {
    const [reason, make] = WRONG[what]!;
    const call = { ...asked, authorization: undefined, ...await make() };
    await assert.rejects(verifier().verify(call, { ...trust, revocation }), refused(reason));
  }
});

Deno.test("a call with a certificate of a sub-CA is refused, unless the sub-CA is trusted itself", async () => {
  const root = await MadeCertificate.authority("CN=root");
  const sub = await MadeCertificate.authority("CN=sub", root);
  const leaf = await MadeCertificate.client("CN=x", sub);
  const who = unchecked(await leaf.certified(sub));
  const now = Date.now();
  const call = { ...asked, authorization: await bearer({ now }, who) };
  const believe = (...authorities: MadeCertificate[]) => ({
    ...trust,
    authorities: authorities.map(({ read }) => read),
  });
  await assert.rejects(
    verifier(now).verify(call, believe(root)),
    refused(/issued by CN=sub, not by CN=root/),
  );
  assert.equal((await verifier(now).verify(call, believe(root, sub))).commonName, "x");
});

Deno.test("all certificates of a call but the first are ignored", async () => {
  const der = identity.chain[0]!.raw.toString("base64");
  const authorization = await handMade({}, { x5c: [der, "no certificate"] });
  assert.equal((await verifier().verify({ ...asked, authorization }, trust)).commonName, "test-client");
});

Deno.test("a call whose certificate was revoked is refused", async () => {
  const revoked = await pki.clientKey();
  const authorities = parseAuthorities(material(pki.ca));
  const crl = await testCrl(pki.authority.files, { revoked: [revoked.cert] });
  const revocation = loadRevocationLists({ bytes: crl, name: "of a test" }, authorities, new Date(NOW));
  const strict = { authorities, revocation: () => Promise.resolve(revocation) };
  await assert.rejects(
    verifier().verify({ ...asked, authorization: await bearer({}, unchecked(revoked)) }, strict),
    refused(/was revoked/),
  );
  await verifier().verify({ ...asked, authorization: await bearer() }, strict);
});

Deno.test("a repeated call is refused", async () => {
  const same = verifier();
  const authorization = await bearer();
  await same.verify({ ...asked, authorization }, trust);
  await assert.rejects(same.verify({ ...asked, authorization }, trust), refused(/used before/));
  await same.verify({ ...asked, authorization: await bearer() }, trust);
});

Deno.test("a call is accepted up to a minute early or late", async () => {
  for (const now of [NOW - 59_000, NOW + 59_000]) {
    await verifier().verify({ ...asked, authorization: await bearer({ now }) }, trust);
  }
});

Deno.test("all kinds of keys of TLS sign calls", async () => {
  const kinds = {
    ES384: generateKeyPairSync("ec", { namedCurve: "secp384r1" }),
    PS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    EdDSA: generateKeyPairSync("ed25519"),
  };
  for (const [alg, { privateKey }] of Object.entries(kinds)) {
    const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    const token = await signCall(wake, { key, chain: identity.chain });
    const header = JSON.parse(atob(token.split(".")[0]!.replaceAll("-", "+").replaceAll("_", "/")));
    assert.equal(header.alg, alg);
  }
});

Deno.test(
  withOpenssl(
    "a certificate whose signature cannot be checked is refused, since it may be forged",
    async () => {
      const dir = await Deno.makeTempDir();
      try {
        const newCa = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-521 -nodes -days 1 -subj /CN=big";
        await openssl(dir, `${newCa} -keyout real.key -out real.crt`);
        await openssl(dir, `${newCa} -keyout rogue.key -out rogue.crt`);
        const extensions =
          "extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\nauthorityKeyIdentifier=none\n";
        await Deno.writeTextFile(`${dir}/leaf.ext`, extensions);
        await openssl(
          dir,
          "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout leaf.key -out leaf.csr",
        );
        await openssl(
          dir,
          "x509 -req -in leaf.csr -CA rogue.crt -CAkey rogue.key -CAcreateserial -days 1 -extfile leaf.ext -out leaf.crt",
        );
        const [ca, cert, key] = await Promise.all(
          ["real.crt", "leaf.crt", "leaf.key"].map((name) => Deno.readTextFile(`${dir}/${name}`)),
        );
        // openssl's certificates begin when they are made.
        const now = Date.now() + 1_000;
        const forged = unchecked({ cert: cert!, key: key! });
        const big = {
          authorities: parseAuthorities(material(ca!)),
          revocation: () => Promise.resolve(undefined),
        };
        await assert.rejects(
          verifier(now).verify({ ...asked, authorization: await bearer({ now }, forged) }, big),
          refused(/signatures cannot be checked here/),
        );
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  ),
);
