import type { X509Certificate } from "node:crypto";

/** Answers by issuer and certificate: a signature takes up to a millisecond to check, and is asked for repeatedly. */
const known = new WeakMap<X509Certificate, WeakMap<X509Certificate, Issuance>>();

/** `uncheckable`: the names fit, and `node:crypto` cannot check the signature: P-521 is such a curve here. */
export type Issuance = "yes" | "no" | "uncheckable";

/** Answers whether one certificate issued another. */
export type Issued = (issuer: X509Certificate, certificate: X509Certificate) => boolean;

/** A judgement needs more signature checks than it may cost. */
export class TooManyChecks extends Error {
  override readonly name = "TooManyChecks";
}

/** The signature checks that one judgement may still cost. Answers that are known already cost none. */
export class SignatureBudget {
  #left: number;

  /** @param left More than a chain of {@linkcode MAX_CHAIN} needs under several authorities of one name. @default {16} */
  constructor(left = 16) {
    this.#left = left;
  }

  /** @throws {TooManyChecks} */
  spend(): void {
    if (this.#left === 0) throw new TooManyChecks("Cannot check another signature: the budget is spent");
    this.#left--;
  }
}

/** Tells whether a certificate names that authority as its issuer; checks no signature. */
export function namesIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer);
}

/**
 * Finds out whether a certificate was signed by that authority.
 *
 * @param budget What a check is paid from. @default {no limit, for certificates from files}
 * @throws {TooManyChecks} When the budget is spent.
 */
export function issuanceOf(
  issuer: X509Certificate,
  certificate: X509Certificate,
  budget?: SignatureBudget,
): Issuance {
  if (!namesIssuer(issuer, certificate)) return "no";
  const answers = known.get(issuer) ?? new WeakMap<X509Certificate, Issuance>();
  known.set(issuer, answers);
  let answer = answers.get(certificate);
  if (answer === undefined) {
    budget?.spend();
    answer = check(issuer, certificate);
    answers.set(certificate, answer);
  }
  return answer;
}

/**
 * Tells whether a certificate was signed by that authority, or may have been: for where TLS itself has checked the
 * signature, and has the last word.
 */
export function hasIssued(
  issuer: X509Certificate,
  certificate: X509Certificate,
  budget?: SignatureBudget,
): boolean {
  return issuanceOf(issuer, certificate, budget) !== "no";
}

function check(issuer: X509Certificate, certificate: X509Certificate): Issuance {
  try {
    return certificate.verify(issuer.publicKey) ? "yes" : "no";
  } catch {
    return "uncheckable";
  }
}
