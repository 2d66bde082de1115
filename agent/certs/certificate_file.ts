import "reflect-metadata"; // x509 needs it to be there first
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import { pemBlocks } from "./pem.ts";

/** Certificates of one file; the first is that of whom the file is about. */
export type Certificates = [x509.X509Certificate, ...x509.X509Certificate[]];

/**
 * Reads every certificate of a PEM text.
 *
 * @param name How messages call it.
 * @throws {SallyportError} `bad_request` when there is none, or one cannot be read.
 */
export function parseCertificates(text: string, name: string): Certificates {
  try {
    const [first, ...rest] = pemBlocks(text, "CERTIFICATE").map((der) => new x509.X509Certificate(der));
    if (first !== undefined) return [first, ...rest];
  } catch (cause) {
    throw new SallyportError("bad_request", `Cannot use ${name}: it cannot be read as a certificate`, {
      cause,
    });
  }
  throw new SallyportError("bad_request", `Cannot use ${name}: it has no entry BEGIN CERTIFICATE`);
}

/** Tells whether an authority has signed a certificate. */
export async function hasSigned(
  authority: x509.X509Certificate,
  certificate: x509.X509Certificate,
): Promise<boolean> {
  if (authority.subject !== certificate.issuer) return false;
  try {
    return await certificate.verify({ publicKey: authority.publicKey, signatureOnly: true });
  } catch {
    return false; // an algorithm that does not go with the authority's key
  }
}
