import type * as x509 from "@peculiar/x509";
import { SallyportError } from "../../../shared/errors.ts";
import { CertificateAuthority } from "./certificate_authority.ts";
import { isAuthority, maySign, parseCertificates } from "./certificate.ts";
import { readTextIfExists } from "../files/read_file.ts";
import { publicKeyOf, readPrivateKey } from "./keys.ts";

/**
 * Opens the CA whose `ca.crt` and `ca.key` are in a folder, made by `certs init` or any other program. Of several
 * certificates in `ca.crt`, the one that matches the key counts.
 *
 * @throws {SallyportError} `bad_request`, with what to do, when a file is missing, cannot be read or does not belong to
 * a CA, when they do not match, or when the CA is not valid now.
 */
export async function openAuthority(dir: string): Promise<CertificateAuthority> {
  const [certificate, keyFile] = [`${dir}/ca.crt`, `${dir}/ca.key`];
  const certText = await readTextIfExists(certificate);
  if (certText === undefined) {
    throw unusable(
      dir,
      `ca.crt not found; create a CA with "certs init", or give the folder of yours with --dir`,
    );
  }
  const keyText = await readTextIfExists(keyFile);
  if (keyText === undefined) {
    throw unusable(dir, "ca.key not found; it is needed for signing: copy the CA's key there");
  }
  const key = readPrivateKey(keyText, keyFile);
  const publicKeyOfCa = publicKeyOf(key);
  const root = parseCertificates(certText, certificate).find(({ publicKey }) =>
    publicKey.equal(publicKeyOfCa)
  );
  if (root === undefined) {
    throw unusable(dir, "ca.key is not the key of ca.crt; copy a matching pair there");
  }
  requireGood(dir, root);
  return await CertificateAuthority.of(root, key, keyFile);
}

function requireGood(dir: string, root: x509.X509Certificate): void {
  if (!isAuthority(root)) throw unusable(dir, "ca.crt is not a CA certificate (basic constraints)");
  if (!maySign(root, "keyCertSign")) {
    throw unusable(dir, "ca.crt may not sign certificates (its key usage lacks keyCertSign)");
  }
  const now = Date.now();
  if (root.notAfter.getTime() < now) {
    const advice = 'create a new CA in another folder with "certs init", for agents and server';
    throw unusable(dir, `ca.crt expired on ${root.notAfter.toISOString()}; ${advice}`);
  }
  if (root.notBefore.getTime() > now) {
    const advice = "check the clock of this machine";
    throw unusable(dir, `ca.crt is not valid before ${root.notBefore.toISOString()}; ${advice}`);
  }
}

function unusable(dir: string, problem: string): SallyportError {
  return new SallyportError("bad_request", `Cannot use the CA in ${dir}: ${problem}`);
}
