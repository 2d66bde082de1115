import { SallyportError } from "../errors.ts";
import { serialOf } from "./certificate_fields.ts";
import { DER, type DerElement, readWholeDer } from "./der.ts";
import { comparableName } from "./distinguished_name.ts";

/** A certificate revocation list as it stands in its bytes (RFC 5280 section 5.1); nothing of it is checked. */
export interface Crl {
  /** Who made it, as `comparableName` writes it. */
  readonly issuer: string;
  readonly thisUpdate: Date;
  /** When the next one is due. */
  readonly nextUpdate: Date;
  /** Counts the lists of one issuer (RFC 5280 section 5.2.3); undefined where the list carries none. */
  readonly number: bigint | undefined;
  /** Serial numbers of the certificates that were taken back, as `serialOf` writes them. */
  readonly serials: ReadonlySet<string>;
  /** The bytes that are signed. */
  readonly signed: Uint8Array;
  /** Identifier of the signature's algorithm, in hex as the DER has it. */
  readonly algorithm: string;
  readonly signature: Uint8Array;
}

/**
 * Reads a revocation list, strictly: a part that was passed over might be the one that names a stolen
 * certificate. (`@peculiar/x509` takes entries that it cannot read for none, and a hundred times the memory.)
 *
 * @throws {SallyportError} `bad_request` when it is not one, or has a part that has to be understood and is not.
 */
export function parseCrl(der: Uint8Array): Crl {
  const [list, ...beyond] = readWholeDer(der);
  if (list?.tag !== DER.sequence || beyond.length > 0) throw unreadable("it is not one DER value");
  const [signed, algorithm, signature] = readWholeDer(list.content);
  if (signed?.tag !== DER.sequence || signature?.tag !== DER.bitString || signature.content[0] !== 0) {
    throw unreadable("it is no list with a signature");
  }
  const parts = readWholeDer(signed.content);
  // The version may be left out, and then is the first.
  if (parts[0]?.tag === DER.integer) parts.shift();
  const [innerAlgorithm, issuer, thisUpdate, nextUpdate] = parts;
  if (innerAlgorithm?.raw.toHex() !== algorithm?.raw.toHex()) throw unreadable("it names two algorithms");
  if (!isTime(nextUpdate)) throw unreadable("it does not say when the next one is due (nextUpdate)");
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

/** Reads the entries and the extensions, which are all that may stand after the dates. */
function restOf(rest: DerElement[]): Pick<Crl, "serials" | "number"> {
  const entries = rest[0]?.tag === DER.sequence ? readWholeDer(rest.shift()!.content) : [];
  const extensions = rest[0]?.tag === DER.crlExtensions ? rest.shift() : undefined;
  if (rest.length > 0) throw unreadable(`it has a part of type ${rest[0]!.tag} after its entries`);
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
      throw unreadable("its number is no integer");
    }
    return BigInt(`0x${number.content.toHex()}`);
  }
  return undefined;
}

function serialOfEntry(entry: DerElement, index: number): string {
  const [serial, date, extensions] = readWholeDer(entry.content);
  if (entry.tag !== DER.sequence || serial?.tag !== DER.integer || !isTime(date)) {
    throw unreadable(`entry ${index + 1} names no certificate`);
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
 * Refuses a list that is not a full list of one authority: a delta CRL has changes only, an indirect CRL has
 * certificates of others, and an issuing distribution point leaves some out. These are refused even where they are
 * not critical, as RFC 5280 requires them to be. Any other critical extension is unknown here (RFC 5280 sections 5.2
 * and 5.3).
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

const NEEDED = "a full list that the CA itself signed is needed";

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

/** RFC 5280 section 4.1.2.5: years of two digits are those from 1950 to 2049. */
function timeOf(element: DerElement | undefined): Date {
  const written = isTime(element) ? new TextDecoder("latin1").decode(element!.content) : "";
  const century = element?.tag === DER.generalizedTime ? "" : Number(written.slice(0, 2)) < 50 ? "20" : "19";
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(century + written) ?? [];
  const [year, month, day, hour, minute, second] = parts;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(time.getTime())) {
    throw unreadable(`it has ${JSON.stringify(written)} where a date belongs`);
  }
  return time;
}

function unreadable(why: string): SallyportError {
  return new SallyportError("bad_request", `Cannot read the revocation list: ${why}`);
}
