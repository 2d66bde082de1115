import "reflect-metadata"; // x509 needs it to be there first
import * as x509 from "@peculiar/x509";

/** What a block of PEM holds. */
export type PemLabel = "CERTIFICATE" | "X509 CRL" | "PRIVATE KEY";

/** Writes one block of PEM. */
export function toPem(der: BufferSource, label: PemLabel): string {
  return `${x509.PemConverter.encode(der, label)}\n`;
}

/**
 * Finds the blocks with that label; there may be other blocks and other text.
 *
 * @throws {Error} When one is cut off or is not base64.
 */
export function pemBlocks(text: string, label: PemLabel): Uint8Array<ArrayBuffer>[] {
  const blocks = x509.PemConverter.decodeWithHeaders(text).filter(({ type }) => type === label);
  const expected = text.match(new RegExp(`^-----BEGIN ${label}-----`, "gm"))?.length ?? 0;
  if (blocks.length < expected) throw new Error(`${expected - blocks.length} entries are cut off`);
  return blocks.map(({ rawData }) => new Uint8Array(rawData));
}
