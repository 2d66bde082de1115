import type * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import { isAuthority } from "./authority_rights.ts";
import { hasSigned, parseCertificates } from "./certificate_file.ts";
import { requireFileName, requireSerial } from "./names.ts";
import { readTextIfThere } from "./read_file.ts";

/** A certificate in the folder of the authority that issued it. */
export interface IssuedCertificate {
  readonly path: string;
  /** The first of its file. */
  readonly certificate: x509.X509Certificate;
  /** Those that follow it there. */
  readonly rest: readonly x509.X509Certificate[];
  /** Its serial number, as `requireSerial` writes it. */
  readonly serial: string;
}

/**
 * Reads NAME.crt of an authority's folder.
 *
 * @param ending What its file is called after NAME.
 * @returns `undefined` when there is no such file, or it was not issued by that authority.
 * @throws {SallyportError} `bad_request` when it cannot be read.
 */
export async function findIssued(
  dir: string,
  name: string,
  root: x509.X509Certificate,
  ending: ".crt" | ".crt.old" = ".crt",
): Promise<IssuedCertificate | undefined> {
  const path = `${dir}/${name}${ending}`;
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  const [certificate, ...rest] = parseCertificates(text, path);
  if (isAuthority(certificate) || !await hasSigned(root, certificate)) return undefined;
  return { path, certificate, rest, serial: requireSerial(certificate.serialNumber) };
}

/**
 * Reads NAME.crt of an authority's folder.
 *
 * @param doing What cannot be done otherwise, for the message: `renew`.
 * @throws {SallyportError} `bad_request`, which says what to do, when there is none or it is not of that authority.
 */
export async function requireIssued(
  dir: string,
  name: string,
  root: x509.X509Certificate,
  doing: string,
): Promise<IssuedCertificate> {
  requireFileName(name);
  const found = await findIssued(dir, name, root);
  if (found !== undefined) return found;
  const isThere = await readTextIfThere(`${dir}/${name}.crt`) !== undefined;
  const problem = isThere
    ? `${dir}/${name}.crt was not issued by the CA in that folder`
    : `there is no ${name}.crt in ${dir}; "certs show --dir ${dir}" lists what is there`;
  throw new SallyportError("bad_request", `Cannot ${doing} ${name}: ${problem}`);
}
