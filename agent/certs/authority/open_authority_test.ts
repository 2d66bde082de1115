import assert from "node:assert/strict";
import { opensslAuthority, withFolder } from "../../../tests/support/pki/certificate_folder.ts";
import { openssl, withOpenssl } from "../../../tests/support/pki/openssl.ts";
import { EXPIRED, NOT_YET_VALID, TestPki } from "../../../tests/support/pki/pki.ts";
import { withReason } from "../../../tests/support/with_reason.ts";
import { CertificateAuthority, type CertifiedKey } from "./certificate_authority.ts";
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
const expired = await CertificateAuthority.create(EXPIRED);
const future = await CertificateAuthority.create(NOT_YET_VALID);

const unusable: Record<string, [Partial<CertifiedKey>, RegExp]> = {
  "a missing ca.crt": [
    { key: files.key },
    /ca\.crt not found; create a CA with "certs init", or give the folder/,
  ],
  "a missing ca.key": [
    { cert: files.cert },
    /ca\.key not found; it is needed for signing: copy the CA's key there/,
  ],
  "the key of another CA": [
    { ...files, key: leaf.key },
    /ca\.key is not the key of ca\.crt; copy a matching pair/,
  ],
  "the certificate of a client": [leaf, /ca\.crt is not a CA certificate/],
  "an expired certificate": [
    expired.files,
    /ca\.crt expired on 2.*Z; create a new CA in another folder with "certs init"/,
  ],
  "a certificate that is not yet valid": [future.files, /ca\.crt is not valid before 2.*Z; check the clock/],
  "no PEM in ca.crt": [{ ...files, cert: "hello" }, /ca\.crt: it has no entry BEGIN CERTIFICATE/],
  "a certificate that is cut off": [
    { ...files, cert: files.cert.slice(0, 200) },
    /ca\.crt: 1 entry is cut off, of 1 in all$/,
  ],
  "no PEM in ca.key": [{ ...files, key: "hello" }, /ca\.key: it cannot be read as a PEM private key/],
};

for (const [what, [there, message]] of Object.entries(unusable)) {
  Deno.test(`openAuthority says what to do about ${what}`, () =>
    withAuthority(there, async (dir) => {
      await assert.rejects(openAuthority(dir), withReason("bad_request", message));
    }));
}

Deno.test("openAuthority finds the certificate that matches the key among several", () =>
  withAuthority({ ...files, cert: other.ca + files.cert }, async (dir) => {
    assert.equal((await openAuthority(dir)).files.cert, files.cert);
  }));

Deno.test(
  withOpenssl(
    "openAuthority says what to do about unsupported keys",
    () =>
      withFolder(async (dir) => {
        const refused = async (message: RegExp) =>
          await assert.rejects(openAuthority(dir), withReason("bad_request", message));
        await opensslAuthority(dir, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out ca.key");
        await refused(
          /ca\.key: keys of type secp521r1 are not supported for a CA; EC P-256 and P-384, RSA and/,
        );
        await openssl(dir, "pkey -in ca.key -aes256 -passout pass:secret -out locked.key");
        await Deno.rename(`${dir}/locked.key`, `${dir}/ca.key`);
        await refused(
          /ca\.key: it is encrypted with a passphrase, which is not supported; decrypt it with "openssl pkey/,
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
      await assert.rejects(openAuthority(dir), withReason("bad_request", /lacks keyCertSign/));
    })),
);
