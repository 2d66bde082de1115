import type { X509Certificate } from "node:crypto";

/** Answers by issuer and certificate: a signature takes a millisecond to check, and is asked for again and again. */
const known = new WeakMap<X509Certificate, WeakMap<X509Certificate, boolean>>();

/** Tells whether a certificate was signed by that authority. */
export function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  const answers = known.get(issuer) ?? new WeakMap<X509Certificate, boolean>();
  known.set(issuer, answers);
  const answer = answers.get(certificate) ?? check(issuer, certificate);
  answers.set(certificate, answer);
  return answer;
}

function check(issuer: X509Certificate, certificate: X509Certificate): boolean {
  if (!issuer.ca || !certificate.checkIssued(issuer)) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A curve that node:crypto cannot check here, P-521 for one: TLS itself checks it, and has the last word.
    return true;
  }
}
