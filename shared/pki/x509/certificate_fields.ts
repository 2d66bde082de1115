import type { X509Certificate } from "node:crypto";
import { DER, type DerElement, readDer } from "./der.ts";
import { latin1 } from "../../text/latin1.ts";
import { type AlternativeNames, commonNameOf, comparableName } from "./names.ts";

/** Extended key usage: `serverAuth` for the listener's certificate, `clientAuth` for the dialer's. */
export type KeyUsage = "serverAuth" | "clientAuth";

// Object identifiers, DER content in hex.
const KEY_USAGE = "551d0f"; // 2.5.29.15
const ALTERNATIVE_NAME = "551d11"; // 2.5.29.17
const BASIC_CONSTRAINTS = "551d13"; // 2.5.29.19
const NAME_CONSTRAINTS = "551d1e"; // 2.5.29.30
const CRL_DISTRIBUTION_POINTS = "551d1f"; // 2.5.29.31
const EXTENDED_KEY_USAGE = "551d25"; // 2.5.29.37
/** Extensions of a leaf that TLS supports here; no other one may be critical. */
const LEAF_EXTENSIONS = [
  KEY_USAGE,
  ALTERNATIVE_NAME,
  BASIC_CONSTRAINTS,
  CRL_DISTRIBUTION_POINTS,
  EXTENDED_KEY_USAGE,
];
const PURPOSES: Readonly<Record<string, KeyUsage>> = {
  "2b06010505070301": "serverAuth", // 1.3.6.1.5.5.7.3.1
  "2b06010505070302": "clientAuth", // 1.3.6.1.5.5.7.3.2
};

/** Signature algorithms that TLS accepts here (RFC 5758, RFC 8017, RFC 8410), by identifier. */
const STRONG_SIGNATURES = new Set([
  "2a8648ce3d040302", // ECDSA with SHA-256
  "2a8648ce3d040303", // ECDSA with SHA-384
  "2a8648ce3d040304", // ECDSA with SHA-512
  "2a864886f70d01010a", // RSASSA-PSS
  "2a864886f70d01010b", // RSA with SHA-256
  "2a864886f70d01010c", // RSA with SHA-384
  "2a864886f70d01010d", // RSA with SHA-512
  "2b6570", // Ed25519
]);

/** Tag of the version, an optional first element (RFC 5280 section 4.1). */
const VERSION = 0xa0;
/** Tags of RFC 5280 section 4.2.1.6. */
const DNS_NAME = 0x82;
const URI = 0x86;
const IP_ADDRESS = 0x87;
/** Bit 6 of the first byte (RFC 5280 section 4.2.1.3). */
const CRL_SIGN = 0x02;

/**
 * Fields of a certificate that `node:crypto` in Deno does not provide, parsed from its DER. Its strings do not help: in
 * `subjectAltName`, a name that contains ", DNS:" looks like two.
 */
export interface CertificateFields {
  /** The common name of the subject, the last if there are several; "" when it has none. */
  readonly commonName: string;
  /** Extended key usage (RFC 5280 section 4.2.1.12), without unknown uses; empty when there is none. */
  readonly usages: readonly KeyUsage[];
  readonly names: AlternativeNames;
  /** The serial number as {@linkcode serialOf} returns it. */
  readonly serial: string;
  /** The subject as {@linkcode comparableName} returns it. */
  readonly subject: string;
  /** Identifiers, in hex, of critical extensions that are unknown here (RFC 5280 section 4.2). */
  readonly unknownCritical: readonly string[];
  /** Whether it constrains the names in certificates that it issues (RFC 5280 section 4.2.1.10). */
  readonly hasNameConstraints: boolean;
  /** Whether its signature algorithm is one that TLS 1.3 accepts here; SHA-1 is not, for example. */
  readonly hasStrongSignature: boolean;
  /** Whether its key may sign revocation lists; true without a key usage extension (RFC 5280 section 4.2.1.3). */
  readonly maySignCrls: boolean;
}

/** Returns a serial number in comparable form: hex without leading zeros. */
export function serialOf(integer: DerElement | undefined): string {
  return (integer?.content.toHex() ?? "").replace(/^(00)+(?=..)/, "");
}

/** Reads the fields of a certificate. */
export function certificateFields(certificate: X509Certificate): CertificateFields {
  const [whole] = readDer(certificate.raw);
  const [signed, algorithm] = readDer(whole?.content);
  const parts = readDer(signed?.content);
  // serial number, signature algorithm, issuer, validity, subject
  const [serial, , , , subject] = parts[0]?.tag === VERSION ? parts.slice(1) : parts;
  const extensions = extensionsOf(parts);
  const purposes = entriesOf(extensions.get(EXTENDED_KEY_USAGE)?.value);
  const names = entriesOf(extensions.get(ALTERNATIVE_NAME)?.value);
  return {
    commonName: commonNameOf(subject),
    usages: purposes.flatMap(({ content }) => PURPOSES[content.toHex()] ?? []),
    names: {
      dns: names.filter(({ tag }) => tag === DNS_NAME).map(({ content }) => latin1(content)),
      uris: names.filter(({ tag }) => tag === URI).map(({ content }) => latin1(content)),
      addresses: names.filter(({ tag }) => tag === IP_ADDRESS).map(({ content }) => content.toHex()),
    },
    serial: serialOf(serial),
    subject: comparableName(subject),
    unknownCritical: [...extensions].flatMap(([id, { isCritical }]) =>
      isCritical && !LEAF_EXTENSIONS.includes(id) ? [id] : []
    ),
    hasNameConstraints: extensions.has(NAME_CONSTRAINTS),
    hasStrongSignature: STRONG_SIGNATURES.has(readDer(algorithm?.content)[0]?.content.toHex() ?? ""),
    maySignCrls: maySignCrls(extensions.get(KEY_USAGE)?.value),
  };
}

/** The first byte of a BIT STRING is its number of unused bits; the bits follow. */
function maySignCrls(usage: DerElement | undefined): boolean {
  return usage === undefined || ((usage.content[1] ?? 0) & CRL_SIGN) !== 0;
}

function entriesOf(extension: DerElement | undefined): DerElement[] {
  return extension?.tag === DER.sequence ? readDer(extension.content) : [];
}

interface Extension {
  readonly value: DerElement;
  readonly isCritical: boolean;
}

/** The extensions by identifier. */
function extensionsOf(parts: readonly DerElement[]): Map<string, Extension> {
  const found = new Map<string, Extension>();
  const [list] = readDer(parts.find(({ tag }) => tag === DER.extensions)?.content);
  for (const extension of readDer(list?.content)) {
    const [id, ...rest] = readDer(extension.content);
    const [value] = readDer(rest.find(({ tag }) => tag === DER.octetString)?.content);
    const isCritical = rest.some(({ tag, content }) => tag === DER.boolean && content[0] !== 0);
    if (id !== undefined && value !== undefined) found.set(id.content.toHex(), { value, isCritical });
  }
  return found;
}
