import type * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import { Authority } from "./authority.ts";
import { isAuthority, maySign } from "./authority_rights.ts";
import { parseCertificates } from "./certificate_file.ts";
import { readTextIfThere } from "./read_file.ts";
import { publicKeyOf, readPrivateKey } from "./signing_key.ts";

/**
 * Opens the authority whose `ca.crt` and `ca.key` are in a folder, of `certs init` or of any other program. In a
 * `ca.crt` of several certificates it is the one that the key fits.
 *
 * @throws {SallyportError} `bad_request`, which says what to do, when one of them is missing, cannot be read or is
 * not of an authority, when they do not fit, or when the authority is not valid now.
 */
export async function openAuthority(dir: string): Promise<Authority> {
  const [certificate, keyFile] = [`${dir}/ca.crt`, `${dir}/ca.key`];
  const certText = await readTextIfThere(certificate);
  if (certText === undefined) {
    throw useless(dir, `there is no ca.crt; "certs init" makes a CA, or name the folder of yours with --dir`);
  }
  const keyText = await readTextIfThere(keyFile);
  if (keyText === undefined) {
    throw useless(dir, "there is no ca.key, and without it nothing can be signed; put the CA's key there");
  }
  const key = readPrivateKey(keyText, keyFile);
  const fitting = publicKeyOf(key);
  const root = parseCertificates(certText, certificate).find(({ publicKey }) => publicKey.equal(fitting));
  if (root === undefined) {
    throw useless(dir, "ca.key is not the key of ca.crt; put the two that belong together there");
  }
  requireGood(dir, root);
  return await Authority.of(root, key, keyFile);
}

function requireGood(dir: string, root: x509.X509Certificate): void {
  if (!isAuthority(root)) throw useless(dir, "ca.crt is not the certificate of a CA (basic constraints)");
  if (!maySign(root, "keyCertSign")) {
    throw useless(dir, "ca.crt may not sign certificates (its key usage has no keyCertSign)");
  }
  const now = Date.now();
  if (root.notAfter.getTime() < now) {
    const advice = '"certs init" makes a new CA in another folder, for agents and server alike';
    throw useless(dir, `ca.crt expired at ${root.notAfter.toISOString()}; ${advice}`);
  }
  if (root.notBefore.getTime() > now) {
    const advice = "look at the clock of this machine";
    throw useless(dir, `ca.crt is not valid before ${root.notBefore.toISOString()}; ${advice}`);
  }
}

function useless(dir: string, problem: string): SallyportError {
  return new SallyportError("bad_request", `Cannot use the CA in ${dir}: ${problem}`);
}
