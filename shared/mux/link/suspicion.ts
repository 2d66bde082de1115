import type { CancelTimer, Clock } from "../../clock.ts";
import type { LinkSender } from "./link_sender.ts";

/** Milliseconds, and round trips, without an acknowledgement of what is in flight that make a link suspect (SPEC.md 3.8). */
const SUSPECT_AFTER = 1_000;
const SUSPECT_ROUNDS = 4;
/** The same in milliseconds where another link can take over: less than TCP takes to send again (RFC 6298). */
const LATE_AFTER = 150;

/** What makes a {@linkcode Suspicion}. */
interface SuspicionInit {
  readonly clock: Clock;
  readonly sender: Pick<LinkSender, "stalledFor" | "path">;
  /** Whether another link can take over. */
  hasOthers(): boolean;
  /** Whether the link can be used: others are not judged. */
  isOpen(): boolean;
  /** The link became suspect, or recovered. */
  changed(): void;
}

/** Detects that the peer has acknowledged nothing for too long (SPEC.md 3.8). */
export class Suspicion {
  readonly #init: SuspicionInit;
  #isSuspect = false;
  #cancel: CancelTimer | undefined;

  constructor(init: SuspicionInit) {
    this.#init = init;
  }

  /** Whether the link is suspect. */
  get isSuspect(): boolean {
    return this.#isSuspect;
  }

  /** Something is in flight: waits until it is acknowledged, or late. */
  watch(): void {
    const { clock, sender } = this.#init;
    if (this.#cancel !== undefined || !this.#init.isOpen()) return;
    const limit = this.#limit;
    this.#cancel = clock.after(Math.max(1, limit - sender.stalledFor), () => {
      this.#cancel = undefined;
      if (sender.stalledFor >= limit) this.set(true);
      else if (sender.path.inFlight > 0) this.watch();
    });
  }

  /** @param isSuspect False when the peer has acknowledged something, true when it may no longer be there. */
  set(isSuspect: boolean): void {
    if (this.#isSuspect === isSuspect || !this.#init.isOpen()) return;
    this.#isSuspect = isSuspect;
    this.#init.changed();
    if (!isSuspect && this.#init.sender.path.inFlight > 0) this.watch();
  }

  /** Stops watching. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Where another link can take over, a lost packet that is sent again late must not hold up the rest for long. */
  get #limit(): number {
    const roundTrip = this.#init.sender.path.roundTrip ?? SUSPECT_AFTER;
    return Math.max(this.#init.hasOthers() ? LATE_AFTER : SUSPECT_AFTER, SUSPECT_ROUNDS * roundTrip);
  }
}
