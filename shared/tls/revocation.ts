import { X509Certificate } from "node:crypto";
import { SallyportError } from "../errors.ts";
import { certificateFields } from "./certificate_fields.ts";
import { type Crl, parseCrl } from "./crl.ts";
import { isKnownAlgorithm, isSignedBy } from "./crl_signature.ts";
import { hasIssued, type Issued } from "./has_issued.ts";
import { type Material, unusable } from "./material.ts";
import { pemBlocks } from "./pem.ts";
import { subjectOf } from "./subject.ts";

/** Milliseconds by which the clock of who made a list may be ahead of ours. */
const CLOCK_SKEW = 300_000;

/** One list, and the authority that signed it. */
interface SignedCrl {
  readonly crl: Crl;
  readonly authority: X509Certificate;
}

/** What reports say of one list. */
export interface ListSummary {
  readonly issuer: string;
  /** How many certificates it names. */
  readonly entries: number;
  /** Counts the lists of one issuer (RFC 5280 section 5.2.3); undefined where the list carries none. */
  readonly number: bigint | undefined;
  readonly nextUpdate: Date;
}

/**
 * The certificates that the CA took back. A list is loaded only while it is current, wherever it comes from. One that
 * ends while the program runs stays in force: whom it names stays out, and others stay in, since a CA that is late
 * with its next list must not cut everybody off.
 */
export class Revocation {
  readonly #lists: readonly SignedCrl[];
  /** When the first of the lists runs out. */
  readonly nextUpdate: Date;
  /** When that one was made. */
  readonly thisUpdate: Date;
  /** How many certificates were taken back, over all lists. */
  readonly entries: number;
  /** One for each authority that has a list. */
  readonly byAuthority: readonly ListSummary[];

  /** @param lists At least one. */
  constructor(lists: readonly SignedCrl[]) {
    this.#lists = lists;
    const first = lists.map(({ crl }) => crl).reduce((a, b) => b.nextUpdate < a.nextUpdate ? b : a);
    this.nextUpdate = first.nextUpdate;
    this.thisUpdate = first.thisUpdate;
    this.entries = lists.reduce((sum, { crl }) => sum + crl.serials.size, 0);
    this.byAuthority = lists.map(({ crl, authority }) => ({
      issuer: subjectOf(authority),
      entries: crl.serials.size,
      number: crl.number,
      nextUpdate: crl.nextUpdate,
    }));
  }

  /** A list that has ended at that time, if there is one. */
  endedAt(at: Date): ListSummary | undefined {
    return this.byAuthority.find(({ nextUpdate }) => nextUpdate < at);
  }

  /**
   * Looks whether a certificate was taken back, or one of those that it depends on.
   *
   * @param issued Answers who issued what came from the peer. @default {by signature}
   * @returns The fault, in words that follow "the certificate … ".
   */
  faultOf(
    chain: readonly X509Certificate[],
    authorities: readonly X509Certificate[],
    issued: Issued = hasIssued,
  ): string | undefined {
    const line = new Set(chain);
    // The authorities are our own: what is found out about them is kept, and costs the peer's judgement nothing.
    const askerOf = (certificate: X509Certificate) => authorities.includes(certificate) ? hasIssued : issued;
    // What is added here is looked at in its turn.
    for (const certificate of line) {
      const isIssuer = askerOf(certificate);
      for (const authority of authorities) if (isIssuer(authority, certificate)) line.add(authority);
    }
    for (const certificate of line) {
      if (!this.#isRevoked(certificate, askerOf(certificate))) continue;
      const serial = certificate.serialNumber;
      return certificate === chain[0]
        ? `was revoked (serial ${serial})`
        : `depends on that of ${subjectOf(certificate)}, which was revoked (serial ${serial})`;
    }
    return undefined;
  }

  #isRevoked(certificate: X509Certificate, issued: Issued): boolean {
    const { serial } = certificateFields(certificate);
    return this.#lists.some(({ crl, authority }) =>
      crl.serials.has(serial) && issued(authority, certificate)
    );
  }
}

/** How lists are judged. */
export interface RevocationRules {
  /**
   * A list that has ended is read all the same. The caller looks at `endedAt` and lets nobody in then: it only uses
   * the list to decide who may learn why. @default false
   */
  readonly takesEnded?: boolean;
}

/**
 * Reads revocation lists, PEM or DER, and checks each: its signature by one of the authorities, whether that one
 * may sign lists, and its dates. Of several lists of one authority the newest counts. Every authority must have a
 * list: without one, those that it revoked would be let in.
 *
 * @throws {SallyportError} `bad_request`, naming the file, the entry and what is wrong with it.
 */
export function revocationOf(
  material: Material,
  authorities: readonly X509Certificate[],
  at: Date,
  rules: RevocationRules = {},
): Revocation {
  const lists = derOf(material);
  const signed = lists.map((der, index) => {
    try {
      return checked(parseCrl(der), authorities, at);
    } catch (error) {
      const where = lists.length === 1 ? "" : `entry ${index + 1}: `;
      const { message } = SallyportError.from(error);
      throw unusable(material, where + message.replace(/^Cannot [^:]*: /, ""), error);
    }
  });
  const newest = newestOfEach(signed);
  if (!rules.takesEnded) requireCurrent(newest, material, at);
  requireListOfEach(newest, authorities, material, at);
  return new Revocation(newest);
}

function newestOfEach(lists: readonly SignedCrl[]): SignedCrl[] {
  const newest = new Map<X509Certificate, SignedCrl>();
  for (const list of lists) {
    const other = newest.get(list.authority);
    if (other === undefined || isNewer(list.crl, other.crl)) newest.set(list.authority, list);
  }
  return [...newest.values()];
}

function isNewer(a: Crl, b: Crl): boolean {
  if (a.number !== undefined && b.number !== undefined && a.number !== b.number) return a.number > b.number;
  return a.thisUpdate > b.thisUpdate;
}

function requireCurrent(lists: readonly SignedCrl[], material: Material, at: Date): void {
  const ended = lists.find(({ crl }) => crl.nextUpdate < at);
  if (ended === undefined) return;
  const whose = lists.length === 1 ? "it" : `the list of ${subjectOf(ended.authority)}`;
  const what = "a newer one is needed: make it with certs crl, and put it here";
  throw unusable(material, `${whose} ran out at ${ended.crl.nextUpdate.toISOString()}, ${what}`);
}

/** A CA whose own certificate has ended lets no one in, and needs no list. */
function requireListOfEach(
  lists: readonly SignedCrl[],
  authorities: readonly X509Certificate[],
  material: Material,
  at: Date,
): void {
  const without = authorities.find((authority) =>
    new Date(authority.validTo) >= at &&
    // A CA that was renewed with the same key has the list of the older certificate.
    !lists.some(({ crl }) =>
      certificateFields(authority).subject === crl.issuer && isSignedBy(crl, authority)
    )
  );
  if (without === undefined) return;
  const [whose, number] = [subjectOf(without), without.serialNumber];
  throw unusable(
    material,
    `it has no list of ${whose} (serial ${number}), which is trusted too: make one with certs crl in the folder of ` +
      "that CA, and append it to this file",
  );
}

/** DER begins with a SEQUENCE, whose tag is "0"; PEM may have any text before its blocks. */
function derOf(material: Material): Uint8Array[] {
  const { bytes } = material;
  if (bytes[0] === 0x30 && bytes[1]! >= 0x80) return [bytes];
  return pemBlocks(material, "X509 CRL").map((block, index) => {
    try {
      return Uint8Array.fromBase64(block.replace(/^-----.*$/gm, ""));
    } catch (error) {
      throw unusable(material, `entry ${index + 1} is not base64`, error);
    }
  });
}

function checked(
  crl: Crl,
  authorities: readonly X509Certificate[],
  at: Date,
): SignedCrl {
  if (!isKnownAlgorithm(crl)) {
    const known = "ECDSA, RSA (PKCS #1) with SHA-256, -384 or -512, and Ed25519 are known";
    throw problem(`it is signed with the algorithm ${crl.algorithm}; ${known}`);
  }
  const authority = signerOf(crl, authorities);
  if (crl.thisUpdate.getTime() > at.getTime() + CLOCK_SKEW) {
    throw problem(`it is not valid before ${crl.thisUpdate.toISOString()}`);
  }
  return { crl, authority };
}

function signerOf(crl: Crl, authorities: readonly X509Certificate[]): X509Certificate {
  const known = authorities.map(subjectOf).join(" or ");
  const named = authorities.filter((authority) => certificateFields(authority).subject === crl.issuer);
  if (named.length === 0) throw problem(`its issuer is not ${known}`);
  const authority = named.find((candidate) => isSignedBy(crl, candidate));
  if (authority === undefined) throw problem(`its signature is not that of ${known}`);
  if (certificateFields(authority).maySignCrls) return authority;
  throw problem(`${subjectOf(authority)} may not sign revocation lists (its key usage has no cRLSign)`);
}

function problem(why: string): SallyportError {
  return new SallyportError("bad_request", why);
}
