import type { X509Certificate } from "node:crypto";
import { certificateFields } from "./x509/certificate_fields.ts";
import type { Crl } from "./x509/crl.ts";
import { type IsIssuer, mayHaveIssued } from "./x509/issuer_check.ts";
import { subjectOf } from "./x509/names.ts";

/** A revocation list, and the CA that signed it. */
export interface SignedCrl {
  readonly crl: Crl;
  readonly authority: X509Certificate;
}

/** A revocation list as reports show it. */
export interface CrlSummary {
  readonly issuer: string;
  /** Number of revoked certificates. */
  readonly entries: number;
  /** CRL number (RFC 5280 section 5.2.3); undefined when the list has none. */
  readonly number: bigint | undefined;
  readonly nextUpdate: Date;
}

/**
 * The revoked certificates of one or several CAs. A list is loaded only while it is current, wherever it comes from. One
 * that expires while the program runs stays in force: the certificates on it stay revoked, and others stay accepted,
 * because a CA that is late with its next list must not cut off every peer.
 */
export class RevocationLists {
  readonly #lists: readonly SignedCrl[];
  /** When the first of the lists expires. */
  readonly nextUpdate: Date;
  /** When that list was issued. */
  readonly thisUpdate: Date;
  /** Number of revoked certificates on all lists. */
  readonly entries: number;
  /** One for each CA that has a list. */
  readonly byAuthority: readonly CrlSummary[];

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

  /**
   * Finds a list that is older than the earlier one of the same CA. It would accept certificates that have been revoked
   * since (RFC 5280 section 5.2.3).
   *
   * @returns The reason, as a clause that follows the name of the list.
   */
  rollbackFrom(before: RevocationLists): string | undefined {
    for (const { crl, authority } of this.#lists) {
      const key = keyOf(authority);
      const newer = before.#lists.find((list) => keyOf(list.authority) === key && isNewer(list.crl, crl));
      if (newer !== undefined) {
        return `its list of ${subjectOf(authority)} (${editionOf(crl)}) is older than the one in force ` +
          `(${editionOf(newer.crl)}), which stays`;
      }
    }
    return undefined;
  }

  /** Finds a list that has expired at that time. */
  expiredAt(at: Date): CrlSummary | undefined {
    return this.byAuthority.find(({ nextUpdate }) => nextUpdate < at);
  }

  /**
   * Checks whether a certificate is revoked, or one of its issuers.
   *
   * @param isIssuer Tells who issued the certificates of the peer. @default {by signature}
   * @returns The reason, as a clause that follows "the certificate … "; undefined when none is revoked.
   */
  whyRevoked(
    chain: readonly X509Certificate[],
    authorities: readonly X509Certificate[],
    isIssuer: IsIssuer = mayHaveIssued,
  ): string | undefined {
    const path = new Set(chain);
    // The CAs are our own: results about them are cached, and do not count against the peer's budget.
    const testFor = (certificate: X509Certificate) =>
      authorities.includes(certificate) ? mayHaveIssued : isIssuer;
    // The loop also visits the CAs that it adds.
    for (const certificate of path) {
      const test = testFor(certificate);
      for (const authority of authorities) if (test(authority, certificate)) path.add(authority);
    }
    for (const certificate of path) {
      if (!this.#isRevoked(certificate, testFor(certificate))) continue;
      const serial = certificate.serialNumber;
      return certificate === chain[0]
        ? `was revoked (serial ${serial})`
        : `depends on that of ${subjectOf(certificate)}, which was revoked (serial ${serial})`;
    }
    return undefined;
  }

  #isRevoked(certificate: X509Certificate, isIssuer: IsIssuer): boolean {
    const { serial } = certificateFields(certificate);
    return this.#lists.some(({ crl, authority }) =>
      crl.serials.has(serial) && isIssuer(authority, certificate)
    );
  }
}

/** Tells whether one list of a CA supersedes another. */
export function isNewer(a: Crl, b: Crl): boolean {
  if (a.number !== undefined && b.number !== undefined && a.number !== b.number) return a.number > b.number;
  return a.thisUpdate > b.thisUpdate;
}

/** Identifies a CA; one renewed with the same key is the same. */
function keyOf(authority: X509Certificate): string {
  const key = authority.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  return `${subjectOf(authority)} ${key}`;
}

function editionOf({ number, thisUpdate }: Crl): string {
  return `${number === undefined ? "" : `number ${number}, `}of ${thisUpdate.toISOString()}`;
}
