import { certsCommand } from "../../cli/command_line.ts";
import type { X509Certificate } from "node:crypto";
import type { CancelTimer, Clock } from "../../clock.ts";
import type { Logger } from "../../log.ts";
import { subjectOf } from "../x509/names.ts";
import type { Identity } from "./identity.ts";

const DAY_MS = 86_400_000;
/** Milliseconds before an expiry at which the log gets warnings, and then errors. */
const SOON_MS = 30 * DAY_MS;
const VERY_SOON_MS = 7 * DAY_MS;

/** A part of an identity that expires. */
export interface Expiry {
  readonly what: "certificate" | "CA certificate" | "revocation list";
  /** The certificate's subject; "" for a list. */
  readonly subject: string;
  readonly end: Date;
  /** Milliseconds before the expiry at which warnings begin. */
  readonly soonMs: number;
  /** Milliseconds before the expiry at which errors begin. */
  readonly verySoonMs: number;
}

/** How close an expiry is. */
export type Nearness = "far" | "soon" | "very_soon" | "over";

/** The parts of an identity that expire. */
export interface ExpiringIdentity extends Pick<Identity, "chain" | "authorities"> {
  readonly revocation: { readonly thisUpdate: Date; readonly nextUpdate: Date } | undefined;
}

/** Lists what expires: the certificate of the chain that expires first, each CA certificate, and the lists. */
export function expiriesOf({ chain, authorities, revocation }: ExpiringIdentity): Expiry[] {
  const own = chain.reduce((a, b) => endOf(b) < endOf(a) ? b : a);
  const certificates = [own, ...authorities].map((certificate, index): Expiry => ({
    what: index === 0 ? "certificate" : "CA certificate",
    subject: subjectOf(certificate),
    end: endOf(certificate),
    soonMs: SOON_MS,
    verySoonMs: VERY_SOON_MS,
  }));
  if (revocation === undefined) return certificates;
  const { nextUpdate, thisUpdate } = revocation;
  // Many lists are valid for a week: the log must not warn about those from the first day to the last.
  const validMs = nextUpdate.getTime() - thisUpdate.getTime();
  const limits = { soonMs: Math.min(SOON_MS, validMs / 2), verySoonMs: Math.min(VERY_SOON_MS, validMs / 4) };
  return [...certificates, { what: "revocation list", subject: "", end: nextUpdate, ...limits }];
}

/** Tells how close an expiry is at a time in milliseconds since 1970. */
export function nearnessOf({ end, soonMs, verySoonMs }: Expiry, now: number): Nearness {
  const left = end.getTime() - now;
  return left < 0 ? "over" : left <= verySoonMs ? "very_soon" : left <= soonMs ? "soon" : "far";
}

/** Whole days until then; negative when it is past. */
export function daysLeft(end: Date, now: number): number {
  return Math.floor((end.getTime() - now) / DAY_MS);
}

function endOf(certificate: X509Certificate): Date {
  return new Date(certificate.validTo);
}

/** What an {@linkcode ExpiryWatch} needs. */
export interface ExpiryWatchInit {
  readonly clock: Clock;
  readonly log: Pick<Logger, "warn" | "error">;
  /** Returns the current identity. */
  identity(): Identity;
}

/** Milliseconds between two checks, so that an expiry is logged within a minute. */
const INTERVAL_MS = 60_000;

/** Logs what expires soon: at the start, once a day, and whenever an expiry comes closer. */
export class ExpiryWatch {
  readonly #init: ExpiryWatchInit;
  #cancel: CancelTimer | undefined;
  /** The last log entry about each part, and when it was written. */
  #logged = new Map<string, { nearness: Nearness; at: number }>();

  constructor(init: ExpiryWatchInit) {
    this.#init = init;
  }

  /** Checks now and then every minute. Called again, it logs everything again. */
  start(): void {
    this.stop();
    this.#logged.clear();
    this.#check();
  }

  /** Stops checking. */
  stop(): void {
    this.#cancel?.();
  }

  #check(): void {
    const { clock, identity } = this.#init;
    // Wall time: the monotonic clock stands still while the machine sleeps, and certificates expire all the same.
    const now = clock.wallTime();
    for (const expiry of expiriesOf(identity())) {
      const nearness = nearnessOf(expiry, now);
      const key = `${expiry.what} ${expiry.subject}`;
      const logged = this.#logged.get(key);
      if (nearness === "far" || logged?.nearness === nearness && now - logged.at < DAY_MS) continue;
      this.#logged.set(key, { nearness, at: now });
      this.#log(expiry, nearness, now);
    }
    this.#cancel = clock.after(INTERVAL_MS, () => this.#check());
  }

  #log({ what, subject, end }: Expiry, nearness: Nearness, now: number): void {
    const fields = {
      subject: subject || undefined,
      end: end.toISOString(),
      days_left: daysLeft(end, now),
      advice: ADVICE[what],
    };
    const { log } = this.#init;
    if (nearness === "soon") log.warn(`${what} expires soon`, fields);
    else if (nearness === "very_soon") log.error(`${what} expires very soon`, fields);
    else log.error(`${what} has expired, ${CONSEQUENCE[what]}`, fields);
  }
}

const ADVICE: Readonly<Record<Expiry["what"], string>> = {
  certificate: `renew it with ${certsCommand("renew")}`,
  "CA certificate": `make a new CA with ${certsCommand("init")}`,
  "revocation list": `sign a new one with ${certsCommand("crl")}`,
};

const CONSEQUENCE: Readonly<Record<Expiry["what"], string>> = {
  certificate: "peers refuse it",
  "CA certificate": "peers refuse it",
  "revocation list": "certificates on it stay revoked, later revocations are not known",
};
