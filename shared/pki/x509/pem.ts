import { X509Certificate } from "node:crypto";
import { countOf } from "../../text/count_of.ts";
import { DER } from "./der.ts";
import { type PemData, pemText, unusable } from "./pem_source.ts";

/** Labels of PEM blocks (RFC 7468) that are read or written here. */
export type PemLabel = "CERTIFICATE" | "X509 CRL" | "PRIVATE KEY";

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----/gm;

/**
 * Finds all blocks with a label, at least one. Blocks with other labels, such as a key, are skipped.
 *
 * @throws {SallyportError} `bad_request` when there is none, when one is cut off, or when a block has a similar label
 * and would be skipped silently.
 */
export function pemBlocks(data: PemData, label: PemLabel): string[] {
  const text = pemText(data);
  const labels = [...text.matchAll(BEGIN)].map(([, found]) => found!);
  const noun = label.split(" ").at(-1)!;
  const similar = labels.find((found) => found !== label && found.endsWith(noun));
  if (similar !== undefined) {
    throw unusable(data, `it has an entry "${similar}", which would be skipped`);
  }
  const expected = labels.filter((found) => found === label).length;
  if (expected === 0) {
    throw unusable(data, `it has no entry BEGIN ${label}; ${describeContent(data.bytes)}`);
  }
  const blocks = text.match(new RegExp(`^-----BEGIN ${label}-----[^-]+-----END ${label}-----`, "gm")) ?? [];
  if (blocks.length < expected) {
    const cutOff = countOf(expected - blocks.length, "entry is", "entries are");
    throw unusable(data, `${cutOff} cut off, of ${expected} in all`);
  }
  return blocks;
}

/**
 * Decodes all blocks with a label.
 *
 * @throws {SallyportError} `bad_request`, as {@linkcode pemBlocks} does, and when a block is not base64.
 */
export function decodePem(data: PemData, label: PemLabel): Uint8Array<ArrayBuffer>[] {
  return pemBlocks(data, label).map((block, index) => {
    try {
      return Uint8Array.fromBase64(block.replace(/^-----.*$/gm, ""));
    } catch (error) {
      throw unusable(data, `entry ${index + 1} is not base64`, error);
    }
  });
}

/** Writes one PEM block. */
export function encodePem(der: Uint8Array | ArrayBuffer, label: PemLabel): string {
  const lines = new Uint8Array(der).toBase64().match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/**
 * Reads all certificates of a PEM text, at least one. Other blocks, such as a key, are skipped.
 *
 * @throws {SallyportError} `bad_request`, with the name of the file, the entry and what is wrong with it.
 */
export function parseCertificates(data: PemData): X509Certificate[] {
  return pemBlocks(data, "CERTIFICATE").map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw unusable(data, `entry ${index + 1} cannot be read as a certificate`, error);
    }
  });
}

/**
 * Reads CA certificates.
 *
 * @throws {SallyportError} `bad_request`, as {@linkcode parseCertificates} does, and for one that is not a CA's.
 */
export function parseAuthorities(data: PemData): X509Certificate[] {
  const authorities = parseCertificates(data);
  authorities.forEach((authority, index) => {
    if (authority.ca) return;
    const reason = "is not a CA certificate; a server or client certificate cannot replace it";
    throw unusable(data, `entry ${index + 1} ${reason}`);
  });
  return authorities;
}

/** Nouns for PEM labels, the most telling first. */
const NOUNS: readonly [label: RegExp, noun: string][] = [
  [/^(NEW )?CERTIFICATE REQUEST$/, "a certificate signing request (CSR), which a CA has to sign first"],
  [/PRIVATE KEY$/, "a private key"],
  [/PUBLIC KEY$/, "a public key"],
  [/^CERTIFICATE$/, "a certificate"],
  [/^X509 CRL$/, "a revocation list"],
  [/^PKCS7$|^CMS$/, 'PKCS #7; "openssl pkcs7 -print_certs -in FILE -out NEW" extracts the certificates'],
];

/** Says what a file contains instead of what was expected, as a clause after a semicolon. */
export function describeContent(bytes: Uint8Array): string {
  if (bytes.length === 0) return "it is empty";
  if (bytes[0] === DER.sequence && bytes[1]! >= 0x80) {
    return 'it is binary, probably DER or PKCS #12, and PEM is expected; "openssl x509 -inform DER -in FILE -out NEW" ' +
      'converts a certificate, "openssl pkey" a key';
  }
  const text = new TextDecoder().decode(bytes);
  const labels = [...text.matchAll(/^\s*-----BEGIN ([A-Z0-9 ]+)-----/gm)].map(([, label]) => label!);
  if (labels.length === 0) return "it contains no PEM";
  const [, noun] = NOUNS.find(([label]) => labels.some((found) => label.test(found))) ?? [];
  return `it contains ${noun ?? `an entry "${labels[0]}"`}`;
}
