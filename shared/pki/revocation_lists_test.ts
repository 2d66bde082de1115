import assert from "node:assert/strict";
import "reflect-metadata"; // @peculiar/x509 needs it first
import * as x509 from "@peculiar/x509";
import { X509Certificate } from "node:crypto";
import { noOpenssl, openssl, opensslCrl } from "../../tests/support/pki/openssl.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { crlPem, testCrl, type TestCrlOptions } from "../../tests/support/pki/test_crl.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { loadRevocationLists } from "./load_revocation_lists.ts";
import type { RevocationLists } from "./revocation_lists.ts";

const DAY_MS = 86_400_000;
const NOW = new Date();
const inDays = (days: number) => new Date(NOW.getTime() + days * DAY_MS);

function read(bytes: Uint8Array | string, authorities: readonly X509Certificate[]): RevocationLists {
  const material = {
    bytes: typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes,
    name: "list a.crl",
  };
  return loadRevocationLists(material, authorities, NOW);
}

/** The extension with a list's number, below 256 (RFC 5280 section 5.2.3). */
function crlNumber(number: number): x509.Extension {
  const integer = number < 128 ? [2, 1, number] : [2, 2, 0, number];
  return new x509.Extension("2.5.29.20", false, new Uint8Array(integer).buffer);
}

async function setUp() {
  const pki = await TestPki.create();
  const [mine, stolen] = [(await pki.clientKey()).cert, (await pki.clientKey()).cert];
  return {
    pki,
    authorities: [new X509Certificate(pki.ca)],
    list: (options?: TestCrlOptions) => testCrl(pki.authority.files, { revoked: [stolen], ...options }),
    stolen: new X509Certificate(stolen),
    mine: new X509Certificate(mine),
  };
}

Deno.test("a revocation list revokes certificates, in DER and in PEM", async () => {
  const { list, authorities, stolen, mine } = await setUp();
  const der = await list();
  for (
    const form of [der, crlPem(der), `Certificate Revocation List\n${crlPem(der).replaceAll("\n", "\r\n")}`]
  ) {
    const revocation = read(form, authorities);
    assert.equal(revocation.entries, 1);
    assert.equal(revocation.whyRevoked([stolen], authorities), `was revoked (serial ${stolen.serialNumber})`);
    assert.equal(revocation.whyRevoked([mine], authorities), undefined);
  }
});

Deno.test("several revocation lists are in force together, each for its own CA", async () => {
  const [a, b] = [await setUp(), await setUp()];
  const authorities = [...a.authorities, ...b.authorities];
  const early = inDays(1);
  const revocation = read(crlPem(await a.list({ nextUpdate: early }), await b.list()), authorities);
  assert.equal(revocation.entries, 2);
  assert.equal(revocation.nextUpdate.getTime(), Math.floor(early.getTime() / 1000) * 1000);
  for (const { stolen, mine } of [a, b]) {
    assert.match(String(revocation.whyRevoked([stolen], authorities)), /^was revoked/);
    assert.equal(revocation.whyRevoked([mine], authorities), undefined);
  }
});

Deno.test("a revocation list does not revoke another CA's certificate with the same serial number", async () => {
  const { authorities, list } = await setUp();
  const other = await setUp();
  const both = [...authorities, ...other.authorities];
  const lists = crlPem(await list({ revoked: [other.mine.toString()] }), await other.list({ revoked: [] }));
  const revocation = read(lists, both);
  assert.equal(revocation.whyRevoked([other.mine], both), undefined);
});

Deno.test("every CA needs a revocation list, and the error names the one without", async () => {
  const [a, b] = [await setUp(), await setUp()];
  const both = [...a.authorities, ...b.authorities];
  const serial = b.authorities[0]!.serialNumber;
  const list = await a.list();
  const why = new RegExp(`it has no list of CN=Test CA \\(serial ${serial}\\), .* make one with certs crl`);
  assert.throws(() => read(list, both), withReason("bad_request", why));
  const material = { bytes: list, name: "list" };
  assert.throws(
    () => loadRevocationLists(material, both, NOW, { allowExpired: true }),
    withReason("bad_request", why),
  );
});

Deno.test("of two lists of one CA the newer counts, in any order, and the older may have expired", async () => {
  const { list, authorities, stolen } = await setUp();
  const older = await list({ revoked: [], thisUpdate: inDays(-9), nextUpdate: inDays(-2) });
  const newer = await list();
  for (const lists of [crlPem(older, newer), crlPem(newer, older)]) {
    const revocation = read(lists, authorities);
    assert.equal(revocation.byAuthority.length, 1);
    assert.match(String(revocation.whyRevoked([stolen], authorities)), /^was revoked/);
  }
});

Deno.test("of two lists of one CA the higher CRL number counts, whatever their dates", async () => {
  const { list, authorities, stolen } = await setUp();
  const numbered = (number: number, options: TestCrlOptions) =>
    list({ ...options, extensions: [crlNumber(number)] });
  // 0x00 0x80: compared as numbers, 128 is more than 9.
  const higher = await numbered(128, { thisUpdate: inDays(-3) });
  const lower = await numbered(9, { revoked: [], thisUpdate: inDays(-1) });
  const same = await numbered(9, { thisUpdate: inDays(-0.5) });
  for (const lists of [[higher, lower], [lower, higher], [lower, same], [same, lower]]) {
    const revocation = read(crlPem(...lists), authorities);
    assert.match(String(revocation.whyRevoked([stolen], authorities)), /^was revoked/);
  }
});

/** Lists that are refused, and the reason. */
const BAD_LISTS: [string, TestCrlOptions, RegExp][] = [
  ["is of a future date", { thisUpdate: inDays(1), nextUpdate: inDays(3) }, /: it is not valid before .*Z$/],
  ["has another issuer", { issuer: "CN=Other CA" }, /: its issuer is not CN=Test CA$/],
];

Deno.test("an expired revocation list is accepted with allowExpired, if its signature is valid", async () => {
  const { pki, list, authorities, stolen, mine } = await setUp();
  const material = { bytes: await list({ thisUpdate: inDays(-9), nextUpdate: inDays(-2) }), name: "list" };
  const revocation = loadRevocationLists(material, authorities, NOW, { allowExpired: true });
  assert.match(revocation.whyRevoked([stolen], authorities)!, /^was revoked/);
  assert.equal(revocation.whyRevoked([mine], authorities), undefined);
  const other = await TestPki.create();
  const forged = { ...material, bytes: await testCrl(other.authority.files, { nextUpdate: inDays(-2) }) };
  assert.throws(
    () => loadRevocationLists(forged, [new X509Certificate(pki.ca)], NOW, { allowExpired: true }),
    withReason("bad_request", /its signature is not that of/),
  );
});

Deno.test("an expired revocation list is refused, and named when there are several", async () => {
  const [a, b] = [await setUp(), await setUp()];
  const ended = await a.list({ thisUpdate: inDays(-9), nextUpdate: inDays(-2) });
  const what = "expired on .*Z; sign a new one with certs crl";
  assert.throws(() => read(ended, a.authorities), withReason("bad_request", new RegExp(`: it ${what}`)));
  const both = [...a.authorities, ...b.authorities];
  const named = withReason("bad_request", new RegExp(`: the list of CN=Test CA ${what}`));
  const lists = crlPem(ended, await b.list());
  assert.throws(() => read(lists, both), named);
});

for (const [what, options, reason] of BAD_LISTS) {
  Deno.test(`a revocation list that ${what} is refused`, async () => {
    const { list, authorities } = await setUp();
    const der = await list(options);
    assert.throws(() => read(der, authorities), withReason("bad_request", reason));
    const good = await list();
    const second = new RegExp(`^Cannot use list a.crl: entry 2${reason.source}`);
    assert.throws(() => read(crlPem(good, der), authorities), withReason("bad_request", second));
  });
}

Deno.test("a revocation list from a clock slightly ahead is accepted", async () => {
  const { list, authorities } = await setUp();
  assert.equal(read(await list({ thisUpdate: new Date(NOW.getTime() + 60_000) }), authorities).entries, 1);
});

Deno.test("a revocation list signed by another CA of the same name is refused", async () => {
  const [{ authorities }, other] = [await setUp(), await setUp()];
  const der = await other.list();
  assert.throws(
    () => read(der, authorities),
    withReason("bad_request", /^Cannot use list a\.crl: its signature is not that of CN=Test CA$/),
  );
});

Deno.test("a revocation list with any byte changed is refused", async () => {
  const { list, authorities } = await setUp();
  const der = await list();
  for (let at = 0; at < der.length; at++) {
    const changed = der.slice();
    changed[at]! ^= 0x01;
    assert.throws(() => read(changed, authorities), withReason("bad_request", /^Cannot use list a\.crl: /));
  }
});

Deno.test("a file that is not a revocation list is refused", async () => {
  const { pki, list, authorities } = await setUp();
  const good = crlPem(await list());
  const refused = (text: string, why: RegExp) =>
    assert.throws(() => read(text, authorities), withReason("bad_request", why));
  refused("", /: it has no entry BEGIN X509 CRL; /);
  refused(pki.ca, /: it has no entry BEGIN X509 CRL; /);
  refused(good + good.slice(0, -40), /: 1 entry is cut off, of 2 in all$/);
  refused(good.replaceAll("X509 CRL", "CRL"), /: it has an entry "CRL", which would be skipped$/);
  refused(
    `${good}-----BEGIN X509 CRL-----\nMAMCAQU=\n-----END X509 CRL-----\n`,
    /: entry 2: it is not a signed list/,
  );
  refused("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n", /: entry 1 is not base64$/);
});

for (const algorithm of ["rsa:2048", "ed25519", "P-256", "P-384", "P-521"]) {
  Deno.test({
    name: `a revocation list made by openssl with ${algorithm} is accepted${
      noOpenssl ? `: ${noOpenssl}` : ""
    }`,
    ignore: noOpenssl !== undefined,
    fn: () =>
      inOpensslChain(algorithm, async (dir, certificateOf) => {
        const [root, middle, leaf] = await Promise.all(["root", "middle", "leaf"].map(certificateOf));
        const hash = algorithm === "P-521" ? "sha512" : "sha256";
        await opensslCrl(dir, "root", [], hash);
        const list = () => Deno.readFile(`${dir}/root.crl`);
        assert.equal(read(await list(), [root!]).whyRevoked([leaf!, middle!], [root!]), undefined);
        await opensslCrl(dir, "root", ["middle.crt"], hash);
        const revocation = read(await list(), [root!]);
        const fault = /^depends on that of CN=middle, which was revoked \(serial [0-9A-F]+\)$/;
        assert.match(String(revocation.whyRevoked([leaf!, middle!], [root!])), fault);
        // Its CA is a trust anchor, so it need not be in the chain.
        assert.match(String(revocation.whyRevoked([leaf!], [root!, middle!])), fault);
      }),
  });
}

Deno.test({
  name: `a revocation list of a CA that may not sign lists is refused${noOpenssl ? `: ${noOpenssl}` : ""}`,
  ignore: noOpenssl !== undefined,
  fn: () =>
    inOpensslChain("P-256", async (dir, certificateOf) => {
      await opensslCrl(dir, "middle", ["leaf.crt"]);
      const list = await Deno.readFile(`${dir}/middle.crl`);
      const authorities = [await certificateOf("middle"), await certificateOf("root")];
      assert.throws(
        () => read(list, authorities),
        withReason("bad_request", /CN=middle may not sign .*lacks cRLSign/),
      );
    }),
});

Deno.test({
  name: `a revocation list whose signature the runtime cannot check is refused${
    noOpenssl ? `: ${noOpenssl}` : ""
  }`,
  ignore: noOpenssl !== undefined,
  fn: () =>
    inOpensslChain("P-521", async (dir, certificateOf) => {
      await opensslCrl(dir, "root", [], "sha256");
      const list = await Deno.readFile(`${dir}/root.crl`);
      const authorities = [await certificateOf("root")];
      const reason = /: its signature \(P-521 with SHA-256\) cannot be checked here$/;
      assert.throws(() => read(list, authorities), withReason("bad_request", reason));
    }),
});

/** A root, an intermediate CA that may not sign lists, and a certificate of that CA, in a directory. */
async function inOpensslChain(
  algorithm: string,
  use: (dir: string, certificateOf: (name: string) => Promise<X509Certificate>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const curve = algorithm.startsWith("P-") ? ` -pkeyopt ec_paramgen_curve:${algorithm}` : "";
  const newKey = `-newkey ${curve === "" ? algorithm : "ec"}${curve} -nodes`;
  try {
    await Deno.writeTextFile(
      `${dir}/middle.ext`,
      "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n",
    );
    await Deno.writeTextFile(`${dir}/leaf.ext`, "extendedKeyUsage=clientAuth\n");
    await openssl(dir, `req -x509 ${newKey} -days 90 -subj /CN=root -keyout root.key -out root.crt`);
    for (const [name, issuer] of [["middle", "root"], ["leaf", "middle"]]) {
      await openssl(dir, `req ${newKey} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`);
      const ca = `-CA ${issuer}.crt -CAkey ${issuer}.key -CAcreateserial`;
      await openssl(dir, `x509 -req -in ${name}.csr ${ca} -days 90 -extfile ${name}.ext -out ${name}.crt`);
    }
    await use(dir, async (name) => new X509Certificate(await Deno.readFile(`${dir}/${name}.crt`)));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
