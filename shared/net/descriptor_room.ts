import type { Clock } from "../clock.ts";

/** Descriptors that stay free for what serves those who are connected: redials, lookups, refusals. */
const SPARE = 8;
/** Further connections that one look allows, so that not each of them costs one. */
const GRANT = 16;
/** Milliseconds for which a look counts: others of the process take descriptors too. */
const VALID_MS = 1_000;
/** A file that is always there and may be opened by whoever may read. */
const ANY_FILE = Deno.build.os === "windows" ? import.meta.filename! : "/dev/null";

/**
 * Tells whether the process has descriptors left for another connection, before it runs out of them: then it
 * could not even tell anybody so. The runtime says neither how many are open nor how many may be, so that it is
 * tried out: 6 µs for each file that is opened and closed.
 */
export class DescriptorRoom {
  readonly #clock: Clock;
  readonly #canOpen: (count: number) => boolean;
  readonly #spare: number;
  #grantedUpTo = 0;
  #validUntil = -Infinity;

  /**
   * @param opens Whether `count` more files can be open at once.
   * @param spare Descriptors that stay free for others. @default 8
   */
  constructor(clock: Clock, opens: (count: number) => boolean = canOpen, spare = SPARE) {
    this.#clock = clock;
    this.#canOpen = opens;
    this.#spare = spare;
  }

  /**
   * Whether one more connection may be taken, beside `open` ones.
   *
   * @param pending How many of those may not have their descriptors yet.
   */
  hasRoom(open: number, pending = 0): boolean {
    const now = this.#clock.now();
    if (open < this.#grantedUpTo && now < this.#validUntil) return true;
    if (!this.#canOpen(this.#spare + pending + GRANT)) {
      this.#validUntil = now;
      return this.#canOpen(this.#spare + pending);
    }
    this.#grantedUpTo = open + GRANT;
    this.#validUntil = now + VALID_MS;
    return true;
  }
}

function canOpen(count: number): boolean {
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < count) files.push(Deno.openSync(ANY_FILE));
    return true;
  } catch (error) {
    // Without the right to read nothing can be told, and nobody should be refused for that.
    return (error as { code?: unknown }).code !== "EMFILE";
  } finally {
    for (const file of files) file.close();
  }
}
