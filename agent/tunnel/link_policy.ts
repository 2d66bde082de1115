/** Milliseconds between two samples while streams are open. */
export const SAMPLE_MS = 250;
/** Bytes per millisecond from which traffic is bulk: other streams need a connection of their own. */
const BULK_RATE = 48;
/** Samples after a change that do not count: those of TCP's slow start. */
const SKIPPED = 2;
/** Samples that are averaged. */
const WINDOW = 3;
/** Samples until connections that are not there count as impossible. */
const MAX_MISSED = 5 * WINDOW;
/** The share of the expected gain that further connections have to bring. */
const REQUIRED_GAIN = 0.15;
/** Times the required rate with which one sample is enough: a step that ends sooner spares a download a second. */
const CLEAR_GAIN = 1.25;
/** Milliseconds until the next trial after one that failed: doubled each time, up to the longest. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 300_000;
/** Milliseconds without bulk after which one connection is enough. */
const NO_BULK_MS = 60_000;

/** What is measured of a session. */
export interface LinkSample {
  /** Milliseconds on the clock. */
  readonly now: number;
  /** Bytes per millisecond since the last sample, both directions together. */
  readonly rate: number;
  /** Connections that carry traffic. */
  readonly links: number;
}

/** Further connections that have to prove themselves. */
interface Trial {
  /** Connections without them, and the rate that these had. */
  readonly links: number;
  readonly rate: number;
  /** Samples taken while they were not all there. */
  missed: number;
}

/**
 * Decides how many connections a session has, from what they carry together. The second one keeps bulk away from other
 * streams; further ones are added while that makes the whole faster, as on a path that loses packets or limits each
 * connection, and given up when it does not.
 */
export class LinkPolicy {
  readonly #max: number;
  #wanted = 1;
  /** The rates of the last samples with these connections, the newest last. */
  #rates: number[] = [];
  #trial: Trial | undefined;
  #pause = FIRST_PAUSE;
  #nextTrialAt = -Infinity;
  #bulkAt = -Infinity;

  /** @param max The most connections. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Connections that are wanted now. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Takes a sample. */
  sample({ now, rate, links }: LinkSample): void {
    if (rate < BULK_RATE) return this.#noBulk(now);
    this.#bulkAt = now;
    if (this.#wanted === 1) return this.#want(Math.min(2, this.#max));
    if (links < this.#wanted) return this.#missing(now);
    this.#rates.push(rate);
    // A download may last for days.
    if (this.#rates.length > SKIPPED + WINDOW) this.#rates.shift();
    const counted = this.#rates.slice(SKIPPED);
    if (counted.length === 0) return;
    const average = counted.reduce((sum, each) => sum + each, 0) / counted.length;
    const required = this.#trial === undefined ? Infinity : requiredRate(this.#trial, this.#wanted);
    if (counted.length < WINDOW && average < CLEAR_GAIN * required) return;
    if (this.#trial !== undefined) {
      if (average < required) return this.#fail(now);
      this.#trial = undefined;
      this.#pause = FIRST_PAUSE;
    }
    if (now >= this.#nextTrialAt) this.#try(average);
  }

  #noBulk(now: number): void {
    this.#rates = [];
    if (now - this.#bulkAt < NO_BULK_MS) return;
    this.#trial = undefined;
    this.#want(1);
  }

  /** Not all connections are there: they say nothing yet. */
  #missing(now: number): void {
    this.#rates = [];
    if (this.#trial !== undefined && ++this.#trial.missed > MAX_MISSED) this.#fail(now);
  }

  /** Doubles the connections. */
  #try(rate: number): void {
    const links = this.#wanted;
    if (links >= this.#max) return;
    this.#trial = { links, rate, missed: 0 };
    this.#want(Math.min(this.#max, 2 * links));
  }

  #fail(now: number): void {
    this.#want(this.#trial!.links);
    this.#trial = undefined;
    this.#nextTrialAt = now + this.#pause;
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #want(links: number): void {
    this.#wanted = links;
    this.#rates = [];
  }
}

/** The rate with which further connections are worth it: one of them carries no bulk, before and after. */
function requiredRate(before: Trial, links: number): number {
  const expected = (links - before.links) / Math.max(1, before.links - 1);
  return before.rate * (1 + REQUIRED_GAIN * expected);
}
