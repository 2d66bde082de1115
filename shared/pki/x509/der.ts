import { SallyportError } from "../../errors.ts";
import { countOf } from "../../text/count_of.ts";

/** One DER value (ITU-T X.690). */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** The content with its tag and length. */
  readonly raw: Uint8Array;
}

/** Tags that occur in RFC 5280 structures. */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  crlExtensions: 0xa0,
  extensions: 0xa3,
} as const;

/** Reads consecutive values, and stops before one that is cut off. */
export function readDer(bytes: Uint8Array | undefined): DerElement[] {
  const found: DerElement[] = [];
  if (bytes === undefined) return found;
  for (let at = 0; at + 2 <= bytes.length;) {
    const { length, start } = readLength(bytes, at + 1);
    const end = start + length;
    if (end > bytes.length) return found;
    found.push({ tag: bytes[at]!, content: bytes.subarray(start, end), raw: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

/**
 * Reads consecutive values that fill the bytes completely.
 *
 * @throws {SallyportError} `bad_request` when one is cut off.
 */
export function readWholeDer(bytes: Uint8Array): DerElement[] {
  const found = readDer(bytes);
  const read = found.reduce((sum, { raw }) => sum + raw.length, 0);
  if (read === bytes.length) return found;
  throw new SallyportError(
    "bad_request",
    `Cannot read DER: it is cut off after ${read} of ${countOf(bytes.length, "byte")}`,
  );
}

/** A length is one byte, or a byte count followed by that many bytes. */
function readLength(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = bytes[at]!;
  if (first < 0x80) return { length: first, start: at + 1 };
  let length = 0;
  const start = at + 1 + (first & 0x7f);
  for (let index = at + 1; index < start; index++) length = length * 256 + (bytes[index] ?? Infinity);
  return { length, start };
}
