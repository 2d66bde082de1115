import "reflect-metadata"; // @peculiar/x509 needs it first
import * as x509 from "@peculiar/x509";
import { decodePem } from "../../../shared/pki/x509/pem.ts";
import { unusable } from "../../../shared/pki/x509/pem_source.ts";

/** The certificates of a file, at least one. */
export type Certificates = [x509.X509Certificate, ...x509.X509Certificate[]];

/**
 * Reads all certificates in a PEM text.
 *
 * @param name What messages call it.
 * @throws {SallyportError} `bad_request` when there is none or one cannot be parsed.
 */
export function parseCertificates(text: string, name: string): Certificates {
  const blocks = decodePem({ bytes: new TextEncoder().encode(text), name }, "CERTIFICATE");
  try {
    return blocks.map((der) => new x509.X509Certificate(der)) as Certificates;
  } catch (cause) {
    throw unusable({ name }, "it cannot be read as a certificate", cause);
  }
}

/** Tells whether a CA signed a certificate. */
export async function hasSigned(
  authority: x509.X509Certificate,
  certificate: x509.X509Certificate,
): Promise<boolean> {
  if (authority.subject !== certificate.issuer) return false;
  try {
    return await certificate.verify({ publicKey: authority.publicKey, signatureOnly: true });
  } catch {
    return false; // an algorithm that does not match the CA's key
  }
}

/** Tells whether a certificate is a CA certificate (RFC 5280 section 4.2.1.9). */
export function isAuthority(certificate: x509.X509Certificate): boolean {
  return certificate.getExtension(x509.BasicConstraintsExtension)?.ca ?? false;
}

/** Tells whether a CA's key may sign that; it may if there is no key usage extension (RFC 5280 section 4.2.1.3). */
export function maySign(certificate: x509.X509Certificate, what: "keyCertSign" | "cRLSign"): boolean {
  const usage = certificate.getExtension(x509.KeyUsagesExtension);
  return usage === null || (usage.usages & x509.KeyUsageFlags[what]) !== 0;
}
