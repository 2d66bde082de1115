import { daysLeft, expiriesOf, type Expiry } from "./expiry.ts";
import type { Identity } from "./identity.ts";

/** When something expires. */
export interface EndReport {
  /** ISO 8601. */
  readonly not_after: string;
  /** Whole days until then; negative when it is past. */
  readonly days_left: number;
}

/** The result of the last reload. */
export interface ReloadReport {
  readonly outcome: "ok" | "failed";
  /** ISO 8601. */
  readonly at: string;
  /** Why it failed; the old identity stays in use then. */
  readonly error?: string;
}

/** What `/status` and `/health` report about certificates. */
export interface TrustReport {
  /** The endpoint's own, or the one of its chain that expires first. */
  readonly certificate: EndReport & {
    /** Its own list revokes it: peers with that list refuse it. Absent otherwise. */
    readonly revoked?: true;
  };
  /** The one that expires first. */
  readonly ca_certificate: EndReport;
  /** The revocation list; absent when there is none. */
  readonly crl?: {
    /** When it expires, ISO 8601. */
    readonly next_update: string;
    readonly days_left: number;
    /** Number of revoked certificates. */
    readonly entries: number;
    /** It stays in force, but later revocations are not known. */
    readonly expired: boolean;
    /** The list of each authority. */
    readonly authorities: readonly {
      readonly issuer: string;
      readonly entries: number;
      /** ISO 8601. */
      readonly next_update: string;
    }[];
  };
  /** Absent before the first reload. */
  readonly last_reload?: ReloadReport;
}

/** Reports when the parts of an identity expire, at a time in milliseconds since 1970. */
export function trustReport(identity: Identity, now: number, lastReload?: ReloadReport): TrustReport {
  const ends = expiriesOf(identity);
  const endOf = (what: Expiry["what"]): EndReport => {
    const { end } = ends.filter((each) => each.what === what).reduce((a, b) => b.end < a.end ? b : a);
    return { not_after: end.toISOString(), days_left: daysLeft(end, now) };
  };
  const revoked = identity.revoked === undefined ? {} : { revoked: true as const };
  const report = {
    certificate: { ...endOf("certificate"), ...revoked },
    ca_certificate: endOf("CA certificate"),
  };
  const reload = lastReload === undefined ? {} : { last_reload: lastReload };
  const { revocation } = identity;
  if (revocation === undefined) return { ...report, ...reload };
  const { not_after: next_update, days_left } = endOf("revocation list");
  const expired = revocation.nextUpdate.getTime() < now;
  const authorities = revocation.byAuthority.map(({ issuer, entries, nextUpdate }) => ({
    issuer,
    entries,
    next_update: nextUpdate.toISOString(),
  }));
  const { entries } = revocation;
  return { ...report, crl: { next_update, days_left, entries, expired, authorities }, ...reload };
}
