/** Hex digits of a fingerprint that a number keeps exactly. */
const DIGITS = 12;

/**
 * The number by which a server names its only client in a metric, since metrics hold nothing but numbers: the first
 * 48 bits of the certificate's fingerprint. A double holds it exactly.
 *
 * @param fingerprint SHA-256 of the certificate, in hex with colons.
 */
export function clientNumber(fingerprint: string): number {
  return Number.parseInt(fingerprint.replaceAll(":", "").slice(0, DIGITS), 16);
}
