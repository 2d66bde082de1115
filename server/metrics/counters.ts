/** A stream that is over, as far as it is counted. */
export interface CountedStream {
  /** How it was opened. */
  readonly kind: string;
  /** How it failed; missing when it went well. */
  readonly code?: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Reasons for which connections are refused; listed, so that each is there from the start, at zero. */
const REFUSALS = ["peer_rejected", "limit_reached", "tunnel_down"];

/** What the server has counted since its start. Counting is done when something ends, never for its bytes. */
export class Counters {
  /** Streams that are over, by kind and outcome: "ok" or a code of SPEC.md 6. */
  readonly streams = new Tally();
  /** User bytes of those streams, from agents ("in") and to them ("out"). */
  readonly bytes = new Tally([["in"], ["out"]]);
  /** Connections that were not let in, by the code of the reason. */
  readonly refused = new Tally(REFUSALS.map((reason) => [reason]));
  /** Reloads of certificates, by outcome. */
  readonly reloads = new Tally([["ok"], ["failed"]]);

  /** A stream is over. */
  streamDone({ kind, code = "ok", bytesIn, bytesOut }: CountedStream): void {
    this.streams.add([kind, code]);
    this.bytes.add(["in"], bytesIn);
    this.bytes.add(["out"], bytesOut);
  }
}

/** Counts by labels, which come from short closed lists. */
export class Tally {
  readonly #counts = new Map<string, { readonly labels: readonly string[]; count: number }>();

  /** @param known Labels that are there from the start, with 0. */
  constructor(known: readonly (readonly string[])[] = []) {
    for (const labels of known) this.add(labels, 0);
  }

  /** Counts one, or `count`. */
  add(labels: readonly string[], count = 1): void {
    const key = labels.join(" ");
    const entry = this.#counts.get(key);
    if (entry === undefined) this.#counts.set(key, { labels, count });
    else entry.count += count;
  }

  /** Everything that was counted. */
  entries(): Iterable<{ readonly labels: readonly string[]; readonly count: number }> {
    return this.#counts.values();
  }
}
