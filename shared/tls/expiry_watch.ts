import type { CancelTimer, Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { daysLeft, expiriesOf, type Expiry, type Nearness, nearnessOf } from "./expiry.ts";
import type { Identity } from "./identity.ts";

/** What makes an {@linkcode ExpiryWatch}. */
export interface ExpiryWatchInit {
  readonly clock: Clock;
  readonly log: Pick<Logger, "warn" | "error">;
  /** The identity of the moment. */
  identity(): Identity;
}

const DAY_MS = 86_400_000;
/** Milliseconds between two looks, so that an end is noticed within a minute. */
const INTERVAL = 60_000;

/** Warns in the log of what ends soon: at the start, once a day, and whenever an end came nearer. */
export class ExpiryWatch {
  readonly #init: ExpiryWatchInit;
  #cancel: CancelTimer | undefined;
  /** What was said of each, and when. */
  #said = new Map<string, { nearness: Nearness; at: number }>();

  constructor(init: ExpiryWatchInit) {
    this.#init = init;
  }

  /** Looks now, and again and again from now on; called again, it says everything anew. */
  start(): void {
    this.stop();
    this.#said.clear();
    this.#check();
  }

  /** Looks no more. */
  stop(): void {
    this.#cancel?.();
  }

  #check(): void {
    const { clock, identity } = this.#init;
    // The time of day: while the machine slept, the clock stood still and certificates did not.
    const now = clock.wallTime();
    for (const expiry of expiriesOf(identity())) {
      const nearness = nearnessOf(expiry, now);
      const key = `${expiry.what} ${expiry.subject}`;
      const said = this.#said.get(key);
      if (nearness === "far" || said?.nearness === nearness && now - said.at < DAY_MS) continue;
      this.#said.set(key, { nearness, at: now });
      this.#say(expiry, nearness, now);
    }
    this.#cancel = clock.after(INTERVAL, () => this.#check());
  }

  #say({ what, subject, end }: Expiry, nearness: Nearness, now: number): void {
    const fields = { subject: subject || undefined, end: end.toISOString(), days_left: daysLeft(end, now) };
    const { log } = this.#init;
    if (nearness === "soon") log.warn(`${what} ends soon`, fields);
    else if (nearness === "very_soon") log.error(`${what} ends very soon`, fields);
    else if (what !== "revocation list") log.error(`${what} has ended, peers refuse it`, fields);
    else {log.error(
        "revocation list ran out: whom it names stays out, later revocations are not known",
        fields,
      );}
  }
}
