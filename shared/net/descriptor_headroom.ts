import type { Clock } from "../clock.ts";
import { isOutOfDescriptors } from "./os_error.ts";

/** File descriptors that stay free for existing connections: redials, lookups, refusals. */
const SPARE = 8;
/** Further connections that one probe allows, so that not each of them needs its own. */
const GRANT = 16;
/** Milliseconds for which a probe is valid: the rest of the process uses descriptors too. */
const VALID_MS = 1_000;
/** The most connections that must close before another is allowed, however many descriptors are missing. */
const MAX_MISSING = 4;
/** A file that always exists and that any program with read permission may open. */
const ANY_FILE = Deno.build.os === "windows" ? import.meta.filename! : "/dev/null";

/**
 * Finds out whether the process has file descriptors left for another connection, before it runs out of them: then it
 * could not even send a refusal. The runtime reports neither how many are open nor how many may be, so that it is
 * probed: 6 µs for each file that is opened and closed.
 */
export class DescriptorHeadroom {
  readonly #clock: Clock;
  readonly #opens: (count: number) => number;
  readonly #spare: number;
  readonly #shortMs: number;
  #grantedUpTo = 0;
  #isShort = false;
  #validUntil = -Infinity;

  /**
   * @param opens How many more files can be opened at once, up to `count`.
   * @param spare Descriptors that have to stay free, in addition to those of pending connections. @default 8
   * @param shortMs Milliseconds for which a probe that found few is valid: a flood then does not cost a probe each
   * time, and until the next one only a lower `open` makes room. @default 0
   */
  constructor(clock: Clock, opens: (count: number) => number = countOpens, spare = SPARE, shortMs = 0) {
    this.#clock = clock;
    this.#opens = opens;
    this.#spare = spare;
    this.#shortMs = shortMs;
  }

  /**
   * Whether one more connection may be accepted in addition to `open` ones.
   *
   * @param pending How many of those may not have their descriptors yet; negative for those about to be closed.
   */
  hasRoom(open: number, pending = 0): boolean {
    const now = this.#clock.now();
    const isValid = now < this.#validUntil;
    if (isValid && (open < this.#grantedUpTo || this.#isShort)) return open < this.#grantedUpTo;
    // A probe costs about as much as what it grants, however many connections begin at once.
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
    // Without read permission it cannot be probed, which is no reason to refuse connections.
    return isOutOfDescriptors(error) ? files.length : count;
  } finally {
    for (const file of files) file.close();
  }
}
