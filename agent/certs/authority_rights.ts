import "reflect-metadata"; // x509 needs it to be there first
import * as x509 from "@peculiar/x509";

/** Tells whether a certificate is an authority's (RFC 5280 section 4.2.1.9). */
export function isAuthority(certificate: x509.X509Certificate): boolean {
  return certificate.getExtension(x509.BasicConstraintsExtension)?.ca ?? false;
}

/** Tells whether an authority's key may sign that; one that says nothing of its key may (RFC 5280 section 4.2.1.3). */
export function maySign(certificate: x509.X509Certificate, what: "keyCertSign" | "cRLSign"): boolean {
  const usage = certificate.getExtension(x509.KeyUsagesExtension);
  return usage === null || (usage.usages & x509.KeyUsageFlags[what]) !== 0;
}
