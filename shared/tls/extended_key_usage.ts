import type { X509Certificate } from "node:crypto";

/** What a certificate of ours is for: the listener's carries `serverAuth`, the dialer's `clientAuth`. */
export type KeyUsage = "serverAuth" | "clientAuth";

/** id-kp-serverAuth and id-kp-clientAuth of RFC 5280 section 4.2.1.12, as DER contents. */
const PURPOSES: Readonly<Record<KeyUsage, string>> = {
  serverAuth: "2b06010505070301",
  clientAuth: "2b06010505070302",
};
/** id-ce-extKeyUsage (2.5.29.37). */
const EXTENDED_KEY_USAGE = "551d25";
const SEQUENCE = 0x30;
const OCTET_STRING = 0x04;
/** [3] of TBSCertificate: the extensions. */
const EXTENSIONS = 0xa3;

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * Tells whether a certificate says that it is for `usage` (RFC 5280 section 4.2.1.12). One that names no use at
 * all is for none. Read from the DER, because the runtime has no way to ask, and lets such certificates pass.
 */
export function isFor(certificate: X509Certificate, usage: KeyUsage): boolean {
  const [whole] = elements(certificate.raw);
  const [signed] = elements(whole?.content);
  const wrapped = elements(signed?.content).find(({ tag }) => tag === EXTENSIONS);
  const [list] = elements(wrapped?.content);
  for (const extension of elements(list?.content)) {
    const [id, ...rest] = elements(extension.content);
    if (id?.content.toHex() !== EXTENDED_KEY_USAGE) continue;
    const [purposes] = elements(rest.find(({ tag }) => tag === OCTET_STRING)?.content);
    if (purposes?.tag !== SEQUENCE) return false;
    return elements(purposes.content).some(({ content }) => content.toHex() === PURPOSES[usage]);
  }
  return false;
}

/** The elements that stand one after the other; stops at the first that is cut off. */
function elements(bytes: Uint8Array | undefined): Element[] {
  const found: Element[] = [];
  if (bytes === undefined) return found;
  for (let at = 0; at + 2 <= bytes.length;) {
    const { length, start } = readLength(bytes, at + 1);
    if (start + length > bytes.length) return found;
    found.push({ tag: bytes[at]!, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** A length as DER writes it: one byte, or a count of bytes and then those. */
function readLength(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = bytes[at]!;
  if (first < 0x80) return { length: first, start: at + 1 };
  let length = 0;
  const start = at + 1 + (first & 0x7f);
  for (let index = at + 1; index < start; index++) length = length * 256 + (bytes[index] ?? Infinity);
  return { length, start };
}
