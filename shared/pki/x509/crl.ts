import { verify, type X509Certificate } from "node:crypto";
import { SallyportError } from "../../errors.ts";
import { latin1 } from "../../text/latin1.ts";
import { serialOf } from "./certificate_fields.ts";
import { DER, type DerElement, readWholeDer } from "./der.ts";
import { comparableName } from "./names.ts";

/** A parsed certificate revocation list (RFC 5280 section 5.1); nothing is verified yet. */
export interface Crl {
  /** Its issuer, as `comparableName` returns it. */
  readonly issuer: string;
  readonly thisUpdate: Date;
  /** When it expires. */
  readonly nextUpdate: Date;
  /** CRL number (RFC 5280 section 5.2.3); undefined when the list has none. */
  readonly number: bigint | undefined;
  /** Serial numbers of the revoked certificates, as `serialOf` returns them. */
  readonly serials: ReadonlySet<string>;
  /** The bytes that are signed. */
  readonly signed: Uint8Array;
  /** Object identifier of the signature algorithm, the DER content in hex. */
  readonly algorithm: string;
  readonly signature: Uint8Array;
}

/**
 * Parses a revocation list strictly: a skipped part might be the one that lists a stolen certificate.
 * (`@peculiar/x509` skips entries that it cannot parse, and needs a hundred times the memory.)
 *
 * @throws {SallyportError} `bad_request` when it is invalid or has a critical part that is not supported.
 */
export function parseCrl(der: Uint8Array): Crl {
  const [list, ...beyond] = readWholeDer(der);
  if (list?.tag !== DER.sequence || beyond.length > 0) throw unreadable("it is not one DER value");
  const [signed, algorithm, signature] = readWholeDer(list.content);
  if (signed?.tag !== DER.sequence || signature?.tag !== DER.bitString || signature.content[0] !== 0) {
    throw unreadable("it is not a signed list");
  }
  const parts = readWholeDer(signed.content);
  // The version is optional and defaults to the first.
  if (parts[0]?.tag === DER.integer) parts.shift();
  const [innerAlgorithm, issuer, thisUpdate, nextUpdate] = parts;
  if (innerAlgorithm?.raw.toHex() !== algorithm?.raw.toHex()) {
    throw unreadable("its two signature algorithm identifiers differ");
  }
  if (!isTime(nextUpdate)) throw unreadable("it has no expiry (nextUpdate)");
  const { serials, number } = restOf(parts.slice(4));
  return {
    issuer: comparableName(issuer),
    thisUpdate: timeOf(thisUpdate),
    nextUpdate: timeOf(nextUpdate),
    number,
    serials,
    signed: signed.raw,
    algorithm: identifierOf(algorithm),
    signature: signature.content.subarray(1),
  };
}

/** Parses the entries and extensions, the only elements allowed after the dates. */
function restOf(rest: DerElement[]): Pick<Crl, "serials" | "number"> {
  const entries = rest[0]?.tag === DER.sequence ? readWholeDer(rest.shift()!.content) : [];
  const extensions = rest[0]?.tag === DER.crlExtensions ? rest.shift() : undefined;
  if (rest.length > 0) {
    throw unreadable(`it has an unexpected element (tag ${rest[0]!.tag}) after its entries`);
  }
  const lists = readWholeDer(extensions?.content ?? new Uint8Array());
  for (const list of lists) requireKnown(list);
  const numbers = lists.map(numberOf).filter((number) => number !== undefined);
  return { serials: new Set(entries.map(serialOfEntry)), number: numbers[0] };
}

/** id-ce-cRLNumber, 2.5.29.20. */
const CRL_NUMBER = "551d14";

function numberOf(extensions: DerElement): bigint | undefined {
  for (const { content } of readWholeDer(extensions.content)) {
    const [id, ...rest] = readWholeDer(content);
    if (id?.content.toHex() !== CRL_NUMBER) continue;
    const [number] = readWholeDer(rest.at(-1)?.content ?? new Uint8Array());
    if (number?.tag !== DER.integer || number.content.length === 0) {
      throw unreadable("its CRL number is not an integer");
    }
    return BigInt(`0x${number.content.toHex()}`);
  }
  return undefined;
}

function serialOfEntry(entry: DerElement, index: number): string {
  const [serial, date, extensions] = readWholeDer(entry.content);
  if (entry.tag !== DER.sequence || serial?.tag !== DER.integer || !isTime(date)) {
    throw unreadable(`entry ${index + 1} has no serial number and date`);
  }
  if (extensions !== undefined) requireKnown(extensions);
  return serialOf(serial);
}

/** id-ce-deltaCRLIndicator, 2.5.29.27 (RFC 5280 section 5.2.4). */
const DELTA_CRL_INDICATOR = "551d1b";
/** id-ce-issuingDistributionPoint, 2.5.29.28 (RFC 5280 section 5.2.5). */
const ISSUING_DISTRIBUTION_POINT = "551d1c";
/** id-ce-certificateIssuer, 2.5.29.29, of an entry (RFC 5280 section 5.3.3). */
const CERTIFICATE_ISSUER = "551d1d";
/** `indirectCRL` of an issuing distribution point: [4] IMPLICIT BOOLEAN. */
const INDIRECT_CRL = 0x84;

/**
 * Refuses a list that is not a full list of one CA: a delta CRL contains only changes, an indirect CRL contains
 * certificates of other CAs, and one with an issuing distribution point is partial. They are refused even when the
 * extension is not marked critical, as RFC 5280 requires. Every other critical extension is refused as unknown (RFC 5280
 * sections 5.2 and 5.3).
 */
function requireKnown(extensions: DerElement): void {
  for (const { content } of readWholeDer(extensions.content)) {
    const [id, ...rest] = readWholeDer(content);
    const name = id?.content.toHex();
    const value = rest.at(-1)?.content ?? new Uint8Array();
    if (name === DELTA_CRL_INDICATOR) {
      throw unreadable(`it is a delta CRL, which is not supported; ${NEEDED}`);
    }
    const isIndirect = name === ISSUING_DISTRIBUTION_POINT && hasIndirectFlag(value);
    if (isIndirect || name === CERTIFICATE_ISSUER) {
      throw unreadable(`it is an indirect CRL, which is not supported; ${NEEDED}`);
    }
    if (name === ISSUING_DISTRIBUTION_POINT) {
      const what = "it covers only some certificates (issuing distribution point), which is not supported";
      throw unreadable(`${what}; ${NEEDED}`);
    }
    if (rest[0]?.tag !== DER.boolean || rest[0].content[0] === 0) continue;
    throw unreadable(`it has the critical extension ${name}, which is not supported`);
  }
}

const NEEDED = "use a full list signed by the CA itself";

function hasIndirectFlag(value: Uint8Array): boolean {
  const [point] = readWholeDer(value);
  return readWholeDer(point?.content ?? new Uint8Array())
    .some(({ tag, content }) => tag === INDIRECT_CRL && content[0] !== 0);
}

function identifierOf(algorithm: DerElement | undefined): string {
  return readWholeDer(algorithm?.content ?? new Uint8Array())[0]?.content.toHex() ?? "";
}

function isTime(element: DerElement | undefined): boolean {
  return element?.tag === DER.utcTime || element?.tag === DER.generalizedTime;
}

/** Two-digit years are from 1950 to 2049 (RFC 5280 section 4.1.2.5). */
function timeOf(element: DerElement | undefined): Date {
  const written = isTime(element) ? latin1(element!.content) : "";
  const century = element?.tag === DER.generalizedTime ? "" : Number(written.slice(0, 2)) < 50 ? "20" : "19";
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + written) ?? [];
  const [year, month, day, hour, minute, second] = parts;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime())) {
    throw unreadable(`it has an invalid date: ${JSON.stringify(written)}`);
  }
  return time;
}

function unreadable(reason: string): SallyportError {
  return new SallyportError("bad_request", `Cannot read the revocation list: ${reason}`);
}

/** Supported signature algorithms of lists (RFC 5480, RFC 8017, RFC 8410), by identifier. */
const ALGORITHMS: Readonly<Record<string, { readonly key: string; readonly hash: string | null }>> = {
  "2a8648ce3d040302": { key: "ec", hash: "sha256" },
  "2a8648ce3d040303": { key: "ec", hash: "sha384" },
  "2a8648ce3d040304": { key: "ec", hash: "sha512" },
  "2a864886f70d01010b": { key: "rsa", hash: "sha256" },
  "2a864886f70d01010c": { key: "rsa", hash: "sha384" },
  "2a864886f70d01010d": { key: "rsa", hash: "sha512" },
  // Includes its hash.
  "2b6570": { key: "ed25519", hash: null },
};

/** Tells whether a list's signature algorithm is supported; SHA-1 and RSA-PSS are not. */
export function isKnownAlgorithm({ algorithm }: Crl): boolean {
  return Object.hasOwn(ALGORITHMS, algorithm);
}

/**
 * Tells whether a list was signed with the key of that CA.
 *
 * @throws {SallyportError} `bad_request` when the runtime cannot verify the signature.
 */
export function isSignedBy({ algorithm, signed, signature }: Crl, authority: X509Certificate): boolean {
  const { publicKey } = authority;
  const known = ALGORITHMS[algorithm];
  if (known === undefined || known.key !== publicKey.asymmetricKeyType) return false;
  const curve = publicKey.asymmetricKeyDetails?.namedCurve;
  // The runtime reports every such signature as wrong.
  if (curve === "secp521r1" && known.hash === "sha256") {
    throw new SallyportError("bad_request", "its signature (P-521 with SHA-256) cannot be checked here");
  }
  return verify(known.hash, signed, publicKey, signature);
}
