import assert from "node:assert/strict";
import { opensslAuthority, withFolder } from "../../tests/support/certificate_folder.ts";
import { openssl, withOpenssl } from "../../tests/support/openssl.ts";
import { EXPIRED, NOT_YET_VALID, TestPki } from "../../tests/support/pki.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { Authority, type CertifiedKey } from "./authority.ts";
import { openAuthority } from "./open_authority.ts";

const pki = await TestPki.create();

async function withAuthority(
  { cert, key }: Partial<CertifiedKey>,
  use: (dir: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (dir) => {
    if (cert !== undefined) await Deno.writeTextFile(`${dir}/ca.crt`, cert);
    if (key !== undefined) await Deno.writeTextFile(`${dir}/ca.key`, key);
    await use(dir);
  });
}

const { files } = pki.authority;
const leaf = await pki.clientKey();
const other = await TestPki.create();
const expired = await Authority.create(EXPIRED);
const future = await Authority.create(NOT_YET_VALID);

const useless: Record<string, [Partial<CertifiedKey>, RegExp]> = {
  "no certificate": [{ key: files.key }, /there is no ca\.crt; "certs init" makes a CA, or name the folder/],
  "no key": [
    { cert: files.cert },
    /there is no ca\.key, and without it nothing can be signed; put the CA's key/,
  ],
  "the key of another": [{ ...files, key: leaf.key }, /ca\.key is not the key of ca\.crt; put the two/],
  "the certificate of a client": [leaf, /ca\.crt is not the certificate of a CA/],
  "an expired certificate": [expired.files, /ca\.crt expired at 2.*Z; "certs init" makes a new CA/],
  "a certificate of tomorrow": [future.files, /ca\.crt is not valid before 2.*Z; look at the clock/],
  "no PEM in ca.crt": [{ ...files, cert: "hello" }, /ca\.crt: it has no entry BEGIN CERTIFICATE/],
  "a certificate that is cut off": [
    { ...files, cert: files.cert.slice(0, 200) },
    /ca\.crt: it cannot be read as/,
  ],
  "no PEM in ca.key": [{ ...files, key: "hello" }, /ca\.key: it cannot be read as a PEM private key/],
};

for (const [what, [there, message]] of Object.entries(useless)) {
  Deno.test(`openAuthority says what to do about ${what}`, () =>
    withAuthority(there, async (dir) => {
      await assert.rejects(openAuthority(dir), withReason("bad_request", message));
    }));
}

Deno.test("openAuthority finds the certificate that the key fits among several", () =>
  withAuthority({ ...files, cert: other.ca + files.cert }, async (dir) => {
    assert.equal((await openAuthority(dir)).files.cert, files.cert);
  }));

Deno.test(
  withOpenssl(
    "openAuthority says what to do about keys that it does not support",
    () =>
      withFolder(async (dir) => {
        const refused = async (message: RegExp) =>
          await assert.rejects(openAuthority(dir), withReason("bad_request", message));
        await opensslAuthority(dir, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out ca.key");
        await refused(
          /ca\.key: keys of the kind secp521r1 are not supported for a CA, EC P-256 and P-384, RSA and/,
        );
        await openssl(dir, "pkey -in ca.key -aes256 -passout pass:secret -out locked.key");
        await Deno.rename(`${dir}/locked.key`, `${dir}/ca.key`);
        await refused(
          /ca\.key: it has a passphrase, which is not supported; "openssl pkey -in FILE -out NEW" makes/,
        );
      }),
  ),
);

Deno.test(
  withOpenssl("openAuthority refuses a CA that may not sign certificates", () =>
    withFolder(async (dir) => {
      const usage = ["-addext", "keyUsage=critical,cRLSign"];
      await opensslAuthority(
        dir,
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key",
        ...usage,
      );
      await assert.rejects(openAuthority(dir), withReason("bad_request", /has no keyCertSign/));
    })),
);
