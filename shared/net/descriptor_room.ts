import type { Clock } from "../clock.ts";

/** Descriptors that stay free for what serves those who are connected: redials, lookups, refusals. */
const SPARE = 8;
/** Further connections that one look allows, so that not each of them costs one. */
const GRANT = 16;
/** Milliseconds for which a look counts: others of the process take descriptors too. */
const VALID_MS = 1_000;
/** The most that must be closed for one more, however many descriptors are missing. */
const MAX_MISSING = 4;
/** A file that is always there and may be opened by whoever may read. */
const ANY_FILE = Deno.build.os === "windows" ? import.meta.filename! : "/dev/null";

/**
 * Tells whether the process has descriptors left for another connection, before it runs out of them: then it
 * could not even tell anybody so. The runtime says neither how many are open nor how many may be, so that it is
 * tried out: 6 µs for each file that is opened and closed.
 */
export class DescriptorRoom {
  readonly #clock: Clock;
  readonly #opens: (count: number) => number;
  readonly #spare: number;
  readonly #shortMs: number;
  #grantedUpTo = 0;
  #isShort = false;
  #validUntil = -Infinity;

  /**
   * @param opens How many files can be open at once besides those that are, up to `count`.
   * @param spare Descriptors that have to be free, besides those for what is pending. @default 8
   * @param shortMs Milliseconds for which a look counts that found few: a flood then costs no look each time, and
   * until the next look room comes only from a lower `open`. @default 0
   */
  constructor(clock: Clock, opens: (count: number) => number = countOpens, spare = SPARE, shortMs = 0) {
    this.#clock = clock;
    this.#opens = opens;
    this.#spare = spare;
    this.#shortMs = shortMs;
  }

  /**
   * Whether one more connection may be taken, beside `open` ones.
   *
   * @param pending How many of those may not have their descriptors yet; negative for those that will be closed.
   */
  hasRoom(open: number, pending = 0): boolean {
    const now = this.#clock.now();
    const isValid = now < this.#validUntil;
    if (isValid && (open < this.#grantedUpTo || this.#isShort)) return open < this.#grantedUpTo;
    // A look costs about as much as what it grants, however many began at once.
    const wanted = Math.max(GRANT, pending);
    const free = this.#opens(this.#spare + pending + wanted) - this.#spare - pending;
    this.#isShort = free < wanted;
    this.#grantedUpTo = open + (this.#isShort ? 1 + Math.max(free, -MAX_MISSING) : wanted);
    this.#validUntil = now + (this.#isShort ? this.#shortMs : VALID_MS);
    return open < this.#grantedUpTo;
  }
}

function countOpens(count: number): number {
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < count) files.push(Deno.openSync(ANY_FILE));
    return count;
  } catch (error) {
    // Without the right to read nothing can be told, and nobody should be refused for that.
    return (error as { code?: unknown }).code === "EMFILE" ? files.length : count;
  } finally {
    for (const file of files) file.close();
  }
}
