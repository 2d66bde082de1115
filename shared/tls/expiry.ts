import type { X509Certificate } from "node:crypto";
import type { Identity } from "./identity.ts";
import { subjectOf } from "./subject.ts";

const DAY_MS = 86_400_000;
/** Before its end, in milliseconds, somebody is warned of it, and loudly. */
const SOON = 30 * DAY_MS;
const VERY_SOON = 7 * DAY_MS;

/** Something that an endpoint relies on and that ends some day. */
export interface Expiry {
  readonly what: "certificate" | "CA certificate" | "revocation list";
  /** Whose it is; "" for a list. */
  readonly subject: string;
  readonly end: Date;
  /** Milliseconds before the end from which on somebody has to be warned. */
  readonly soon: number;
  /** The same, loudly. */
  readonly verySoon: number;
}

/** How near an end is. */
export type Nearness = "far" | "soon" | "very_soon" | "over";

/** Lists what of an identity ends: of its chain the certificate that ends first, each authority, the lists. */
export function expiriesOf({ chain, authorities, revocation }: Identity): Expiry[] {
  const own = chain.reduce((a, b) => endOf(b) < endOf(a) ? b : a);
  const certificates = [own, ...authorities].map((certificate, index): Expiry => ({
    what: index === 0 ? "certificate" : "CA certificate",
    subject: subjectOf(certificate),
    end: endOf(certificate),
    soon: SOON,
    verySoon: VERY_SOON,
  }));
  if (revocation === undefined) return certificates;
  const { nextUpdate, thisUpdate } = revocation;
  // Many lists live for a week: they must not be warned of from their first day to their last.
  const life = nextUpdate.getTime() - thisUpdate.getTime();
  const limits = { soon: Math.min(SOON, life / 2), verySoon: Math.min(VERY_SOON, life / 4) };
  return [...certificates, { what: "revocation list", subject: "", end: nextUpdate, ...limits }];
}

/** Tells how near an end is at a time of day, in milliseconds since 1970. */
export function nearnessOf({ end, soon, verySoon }: Expiry, now: number): Nearness {
  const left = end.getTime() - now;
  return left < 0 ? "over" : left <= verySoon ? "very_soon" : left <= soon ? "soon" : "far";
}

/** Whole days until then; negative when it is past. */
export function daysLeft(end: Date, now: number): number {
  return Math.floor((end.getTime() - now) / DAY_MS);
}

function endOf(certificate: X509Certificate): Date {
  return new Date(certificate.validTo);
}
