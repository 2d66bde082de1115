import type { X509Certificate } from "node:crypto";

/** Answers by issuer and certificate: a signature takes a millisecond to check, and is asked for again and again. */
const known = new WeakMap<X509Certificate, WeakMap<X509Certificate, Issuance>>();

/** `uncheckable`: the names fit, and `node:crypto` cannot check the signature: P-521 is such a curve here. */
export type Issuance = "yes" | "no" | "uncheckable";

/** Finds out whether a certificate was signed by that authority. */
export function issuanceOf(issuer: X509Certificate, certificate: X509Certificate): Issuance {
  const answers = known.get(issuer) ?? new WeakMap<X509Certificate, Issuance>();
  known.set(issuer, answers);
  const answer = answers.get(certificate) ?? check(issuer, certificate);
  answers.set(certificate, answer);
  return answer;
}

/**
 * Tells whether a certificate was signed by that authority, or may have been: for where TLS itself has checked the
 * signature, and has the last word.
 */
export function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuanceOf(issuer, certificate) !== "no";
}

function check(issuer: X509Certificate, certificate: X509Certificate): Issuance {
  if (!issuer.ca || !certificate.checkIssued(issuer)) return "no";
  try {
    return certificate.verify(issuer.publicKey) ? "yes" : "no";
  } catch {
    return "uncheckable";
  }
}
