import type { X509Certificate } from "node:crypto";

/** Results by issuer and certificate: a signature check takes up to a millisecond, and the same ones recur. */
const results = new WeakMap<X509Certificate, WeakMap<X509Certificate, IssuerCheck>>();

/** `uncheckable`: the names match, and `node:crypto` cannot check the signature, for example one by a P-521 key. */
export type IssuerCheck = "yes" | "no" | "uncheckable";

/** Tells whether one certificate issued another. */
export type IsIssuer = (issuer: X509Certificate, certificate: X509Certificate) => boolean;

/** A validation needs more signature checks than its budget has. */
export class SignatureBudgetExceeded extends Error {
  override readonly name = "SignatureBudgetExceeded";
}

/** The signature checks that one validation may still make. Results that are already known cost nothing. */
export class SignatureBudget {
  #left: number;

  /** @param left More than the longest chain allowed needs under several CAs of one name. @default {16} */
  constructor(left = 16) {
    this.#left = left;
  }

  /** @throws {SignatureBudgetExceeded} */
  spend(): void {
    if (this.#left === 0) {
      throw new SignatureBudgetExceeded("Cannot check another signature: the budget is spent");
    }
    this.#left--;
  }
}

/** Tells whether a certificate names that CA as its issuer. Checks no signature. */
export function isNamedIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer);
}

/**
 * Checks whether a certificate was signed by that CA.
 *
 * @param budget Pays for the check. @default {no limit, for certificates from our own files}
 * @throws {SignatureBudgetExceeded} When the budget is spent.
 */
export function checkIssuer(
  issuer: X509Certificate,
  certificate: X509Certificate,
  budget?: SignatureBudget,
): IssuerCheck {
  if (!isNamedIssuer(issuer, certificate)) return "no";
  const known = results.get(issuer) ?? new WeakMap<X509Certificate, IssuerCheck>();
  results.set(issuer, known);
  let result = known.get(certificate);
  if (result === undefined) {
    budget?.spend();
    result = verifySignature(issuer, certificate);
    known.set(certificate, result);
  }
  return result;
}

/**
 * Tells whether a certificate was signed by that CA, or may have been because the signature cannot be checked here: for
 * chains whose signatures TLS has verified.
 */
export function mayHaveIssued(
  issuer: X509Certificate,
  certificate: X509Certificate,
  budget?: SignatureBudget,
): boolean {
  return checkIssuer(issuer, certificate, budget) !== "no";
}

function verifySignature(issuer: X509Certificate, certificate: X509Certificate): IssuerCheck {
  try {
    return certificate.verify(issuer.publicKey) ? "yes" : "no";
  } catch {
    return "uncheckable";
  }
}
