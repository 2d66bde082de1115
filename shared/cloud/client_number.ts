/** Hex digits of an identity that a number keeps exactly. */
const DIGITS = 12;

/**
 * The number by which a server names its only client in a metric, since metrics hold nothing but numbers: the first
 * 48 bits of the certificate's identity. A double holds it exactly.
 *
 * @param identity `identityOf` the certificate: SHA-256 in hex with colons.
 */
export function clientNumber(identity: string): number {
  return Number.parseInt(identity.replaceAll(":", "").slice(0, DIGITS), 16);
}
