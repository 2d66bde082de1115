import type { X509Certificate } from "node:crypto";
import { SallyportError } from "../errors.ts";
import { isNewer, RevocationLists, type SignedCrl } from "./revocation_lists.ts";
import { certificateFields } from "./x509/certificate_fields.ts";
import { type Crl, isKnownAlgorithm, isSignedBy, parseCrl } from "./x509/crl.ts";
import { DER } from "./x509/der.ts";
import { subjectOf } from "./x509/names.ts";
import { decodePem } from "./x509/pem.ts";
import { type PemData, unusable } from "./x509/pem_source.ts";

/** Milliseconds by which the clock of a list's issuer may be ahead of ours. */
const CLOCK_SKEW_MS = 300_000;

/** How lists are validated. */
export interface LoadRevocationOptions {
  /**
   * Whether to accept a list that has expired. The caller checks `expiredAt` and then serves no client: it uses the list
   * only to decide which clients may learn the reason. @default false
   */
  readonly allowExpired?: boolean;
}

/**
 * Reads revocation lists, PEM or DER, and validates each: its signature by one of the CAs, whether that CA may sign
 * lists, and its dates. Of several lists of one CA the newest counts. Every CA needs a list: without it, certificates
 * that it has revoked would be accepted.
 *
 * @throws {SallyportError} `bad_request`, with the name of the file, the entry and what is wrong with it.
 */
export function loadRevocationLists(
  data: PemData,
  authorities: readonly X509Certificate[],
  at: Date,
  options: LoadRevocationOptions = {},
): RevocationLists {
  const lists = decodeLists(data);
  const signed = lists.map((der, index) => {
    try {
      return validate(parseCrl(der), authorities, at);
    } catch (error) {
      const where = lists.length === 1 ? "" : `entry ${index + 1}: `;
      const { message } = SallyportError.from(error);
      throw unusable(data, where + message.replace(/^Cannot [^:]*: /, ""), error);
    }
  });
  const newest = newestOfEach(signed);
  if (!options.allowExpired) requireCurrent(newest, data, at);
  requireListOfEach(newest, authorities, data, at);
  return new RevocationLists(newest);
}

function newestOfEach(lists: readonly SignedCrl[]): SignedCrl[] {
  const newest = new Map<X509Certificate, SignedCrl>();
  for (const list of lists) {
    const other = newest.get(list.authority);
    if (other === undefined || isNewer(list.crl, other.crl)) newest.set(list.authority, list);
  }
  return [...newest.values()];
}

function requireCurrent(lists: readonly SignedCrl[], data: PemData, at: Date): void {
  const expired = lists.find(({ crl }) => crl.nextUpdate < at);
  if (expired === undefined) return;
  const what = lists.length === 1 ? "it" : `the list of ${subjectOf(expired.authority)}`;
  const advice = "sign a new one with certs crl and copy it here";
  throw unusable(data, `${what} expired on ${expired.crl.nextUpdate.toISOString()}; ${advice}`);
}

/** A CA whose own certificate has expired validates no certificate, and needs no list. */
function requireListOfEach(
  lists: readonly SignedCrl[],
  authorities: readonly X509Certificate[],
  data: PemData,
  at: Date,
): void {
  const without = authorities.find((authority) =>
    new Date(authority.validTo) >= at &&
    // A CA renewed with the same key has the list of its earlier certificate.
    !lists.some(({ crl }) =>
      certificateFields(authority).subject === crl.issuer && isSignedBy(crl, authority)
    )
  );
  if (without === undefined) return;
  const [name, number] = [subjectOf(without), without.serialNumber];
  throw unusable(
    data,
    `it has no list of ${name} (serial ${number}), which is trusted too; make one with certs crl in the folder of ` +
      "that CA and append it to this file",
  );
}

/** DER begins with a SEQUENCE, whose tag is "0" in ASCII; PEM may have any text before its blocks. */
function decodeLists(data: PemData): Uint8Array[] {
  const { bytes } = data;
  if (bytes[0] === DER.sequence && bytes[1]! >= 0x80) return [bytes];
  return decodePem(data, "X509 CRL");
}

function validate(crl: Crl, authorities: readonly X509Certificate[], at: Date): SignedCrl {
  if (!isKnownAlgorithm(crl)) {
    const known = "ECDSA and RSA (PKCS #1) with SHA-256, -384 or -512, and Ed25519 are supported";
    throw invalid(`it is signed with the algorithm ${crl.algorithm}; ${known}`);
  }
  const authority = signerOf(crl, authorities);
  if (crl.thisUpdate.getTime() > at.getTime() + CLOCK_SKEW_MS) {
    throw invalid(`it is not valid before ${crl.thisUpdate.toISOString()}`);
  }
  return { crl, authority };
}

function signerOf(crl: Crl, authorities: readonly X509Certificate[]): X509Certificate {
  const trusted = authorities.map(subjectOf).join(" or ");
  const named = authorities.filter((authority) => certificateFields(authority).subject === crl.issuer);
  if (named.length === 0) throw invalid(`its issuer is not ${trusted}`);
  const authority = named.find((candidate) => isSignedBy(crl, candidate));
  if (authority === undefined) throw invalid(`its signature is not that of ${trusted}`);
  if (certificateFields(authority).maySignCrls) return authority;
  throw invalid(`${subjectOf(authority)} may not sign revocation lists (its key usage lacks cRLSign)`);
}

function invalid(reason: string): SallyportError {
  return new SallyportError("bad_request", reason);
}
