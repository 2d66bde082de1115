/** One value as DER writes it (ITU-T X.690): what it is, and its bytes. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Tags of RFC 5280's structures. */
export const DER = { octetString: 0x04, sequence: 0x30, extensions: 0xa3 } as const;

/** Reads the values that stand one after the other, and stops before one that is cut off. */
export function readDer(bytes: Uint8Array | undefined): DerElement[] {
  const found: DerElement[] = [];
  if (bytes === undefined) return found;
  for (let at = 0; at + 2 <= bytes.length;) {
    const { length, start } = readLength(bytes, at + 1);
    if (start + length > bytes.length) return found;
    found.push({ tag: bytes[at]!, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** A length is one byte, or a count of bytes and then those. */
function readLength(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = bytes[at]!;
  if (first < 0x80) return { length: first, start: at + 1 };
  let length = 0;
  const start = at + 1 + (first & 0x7f);
  for (let index = at + 1; index < start; index++) length = length * 256 + (bytes[index] ?? Infinity);
  return { length, start };
}
