import type * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import { hasSigned, isAuthority, parseCertificates } from "./authority/certificate.ts";
import { isFileName, requireFileName, requireSerial } from "./authority/names.ts";
import { readTextIfExists } from "./files/read_file.ts";

/** A certificate in the folder of the CA that issued it. */
export interface IssuedCertificate {
  readonly path: string;
  /** The first of its file. */
  readonly certificate: x509.X509Certificate;
  /** The certificates that follow it in the file. */
  readonly rest: readonly x509.X509Certificate[];
  /** Its serial number, as `requireSerial` returns it. */
  readonly serial: string;
}

/**
 * Reads NAME.crt in a CA's folder.
 *
 * @param ending The ending of the file's name after NAME.
 * @returns `undefined` when the file does not exist or that CA did not issue it.
 * @throws {SallyportError} `bad_request` when it cannot be read.
 */
export async function findIssuedCertificate(
  dir: string,
  name: string,
  root: x509.X509Certificate,
  ending: ".crt" | ".crt.old" = ".crt",
): Promise<IssuedCertificate | undefined> {
  const path = `${dir}/${name}${ending}`;
  const text = await readTextIfExists(path);
  if (text === undefined) return undefined;
  const [certificate, ...rest] = parseCertificates(text, path);
  if (isAuthority(certificate) || !await hasSigned(root, certificate)) return undefined;
  return { path, certificate, rest, serial: requireSerial(certificate.serialNumber) };
}

/**
 * Reads NAME.crt in a CA's folder; the file must exist.
 *
 * @param doing The operation, for messages: `renew`.
 * @throws {SallyportError} `bad_request`, with what to do, when it does not exist or that CA did not issue it.
 */
export async function requireIssuedCertificate(
  dir: string,
  name: string,
  root: x509.X509Certificate,
  doing: string,
): Promise<IssuedCertificate> {
  requireFileName(name);
  const found = await findIssuedCertificate(dir, name, root);
  if (found !== undefined) return found;
  const exists = await readTextIfExists(`${dir}/${name}.crt`) !== undefined;
  const problem = exists
    ? `${dir}/${name}.crt was not issued by the CA in the same folder`
    : `${name}.crt not found in ${dir}; list the certificates there with "certs show --dir ${dir}"`;
  throw new SallyportError("bad_request", `Cannot ${doing} ${name}: ${problem}`);
}

const FILE = /^(.+?)(\.crt|\.crt\.old)$/;

/**
 * Lists all certificates in a CA's folder that it issued, including those that a renewal replaced. A file that cannot be
 * read as a certificate is skipped: it must not prevent another from being revoked, and `certs show` reports it.
 */
export async function listIssuedCertificates(
  dir: string,
  root: x509.X509Certificate,
): Promise<IssuedCertificate[]> {
  const issued: IssuedCertificate[] = [];
  const names = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name).sort();
  for (const file of names) {
    const [, name = "", ending] = FILE.exec(file) ?? [];
    if (!isFileName(name)) continue;
    const found = await findIssuedCertificate(dir, name, root, ending as ".crt" | ".crt.old").catch(
      (error) => {
        if (SallyportError.from(error).code === "bad_request") return undefined;
        throw error;
      },
    );
    if (found !== undefined) issued.push(found);
  }
  return issued;
}

/** Returns the certificates with the same public key as another one. */
export function withSameKey(
  issued: readonly IssuedCertificate[],
  { publicKey }: x509.X509Certificate,
): IssuedCertificate[] {
  return issued.filter(({ certificate }) => certificate.publicKey.equal(publicKey));
}
