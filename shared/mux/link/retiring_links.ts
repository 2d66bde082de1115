import type { CancelTimer, Clock } from "../../clock.ts";
import { SallyportError } from "../../errors.ts";
import type { Link } from "./link.ts";

/** Milliseconds in which a link that is given up has to deliver what is in flight. */
const RETIRE_TIMEOUT = 5_000;

/** Open links that are given up, and close once what is in flight was delivered (SPEC.md 3.9). */
export class RetiringLinks {
  readonly #clock: Clock;
  readonly #links = new Map<Link, CancelTimer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a link. Returns why it will close. */
  add(link: Link): SallyportError {
    const error = notNeeded();
    this.#links.set(link, this.#clock.after(RETIRE_TIMEOUT, () => link.cut(error)));
    return error;
  }

  /** Whether a link is given up. */
  has(link: Link): boolean {
    return this.#links.has(link);
  }

  /** A link is closed. */
  delete(link: Link): void {
    this.#links.get(link)?.();
    this.#links.delete(link);
  }

  /** Closes those that have delivered everything. */
  closeClear(): void {
    for (const link of [...this.#links.keys()]) if (link.sender.isClear) link.cut(notNeeded());
  }

  /** Forgets all. */
  clear(): void {
    for (const cancel of this.#links.values()) cancel();
    this.#links.clear();
  }
}

/** Why a link is closed although it works. */
export function notNeeded(): SallyportError {
  return new SallyportError("going_away", "Cannot keep the connection: it is not needed");
}
