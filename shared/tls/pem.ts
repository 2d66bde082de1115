import { type Material, textOf, unusable } from "./material.ts";

/** What a block of PEM holds. */
export type PemLabel = "CERTIFICATE" | "X509 CRL";

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----/gm;

/**
 * Finds every block with that label, and at least one; others, such as a key, are passed over.
 *
 * @throws {SallyportError} `bad_request` when there is none, one is cut off, or one has a label that only looks
 * like it and would be passed over in silence.
 */
export function pemBlocks(material: Material, label: PemLabel): string[] {
  const text = textOf(material);
  const labels = [...text.matchAll(BEGIN)].map(([, found]) => found!);
  const noun = label.split(" ").at(-1)!;
  const foreign = labels.find((found) => found !== label && found.endsWith(noun));
  if (foreign !== undefined) {
    throw unusable(material, `it has an entry "${foreign}", which would be passed over`);
  }
  const expected = labels.filter((found) => found === label).length;
  if (expected === 0) throw unusable(material, `it has no entry BEGIN ${label}`);
  const blocks = text.match(new RegExp(`^-----BEGIN ${label}-----[^-]+-----END ${label}-----`, "gm")) ?? [];
  if (blocks.length < expected) {
    throw unusable(material, `${expected - blocks.length} of its ${expected} entries is cut off`);
  }
  return blocks;
}
