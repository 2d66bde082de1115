/** The parts of a finished stream that are counted. */
export interface CountedStream {
  /** How it was opened. */
  readonly kind: string;
  /** How it failed; missing when it succeeded. */
  readonly code?: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Codes of refused connections, listed so that each metric starts at zero. */
const REFUSALS = ["peer_rejected", "limit_reached", "tunnel_down"];

/** Everything counted since the start. Streams are counted when they end, not byte by byte. */
export class Counters {
  /** Finished streams, by kind and outcome: "ok" or a code of SPEC.md 6. */
  readonly streams = new Tally();
  /** User bytes of those streams, from agents ("in") and to them ("out"). */
  readonly bytes = new Tally([["in"], ["out"]]);
  /** Refused connections, by code. */
  readonly refused = new Tally(REFUSALS.map((reason) => [reason]));
  /** Reloads of certificates, by outcome. */
  readonly reloads = new Tally([["ok"], ["failed"]]);

  /** Counts a finished stream. */
  streamDone({ kind, code = "ok", bytesIn, bytesOut }: CountedStream): void {
    this.streams.add([kind, code]);
    this.bytes.add(["in"], bytesIn);
    this.bytes.add(["out"], bytesOut);
  }
}

/** Counts by labels, whose values come from short closed lists. */
export class Tally {
  readonly #counts = new Map<string, { readonly labels: readonly string[]; count: number }>();

  /** @param known Labels that start at 0. */
  constructor(known: readonly (readonly string[])[] = []) {
    for (const labels of known) this.add(labels, 0);
  }

  /** Adds one, or `count`. */
  add(labels: readonly string[], count = 1): void {
    const key = labels.join(" ");
    const entry = this.#counts.get(key);
    if (entry === undefined) this.#counts.set(key, { labels, count });
    else entry.count += count;
  }

  /** All counts. */
  entries(): Iterable<{ readonly labels: readonly string[]; readonly count: number }> {
    return this.#counts.values();
  }
}
