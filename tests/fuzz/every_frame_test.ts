/**
 * A short transfer between two sessions, in which one frame after another, every one of them once, is cut off, delayed,
 * overtaken or sent twice: streams at both ends get the same bytes as without that (SPEC.md 3.7, 3.8, 4.8).
 */
import assert from "node:assert/strict";
import { countOf } from "../../shared/text/count_of.ts";
import type { ManualWire } from "../support/mux/manual_wire.ts";
import { WatchedPair } from "../support/mux/watched_pair.ts";

/** Milliseconds: shorter than what makes a link suspect, and longer, but not so long that it is dead (SPEC.md 3.2, 3.8). */
const SHORT = 100;
const LONG = 4_500;
const OPTIONS = { initialWindow: 400_000, maxWindow: 400_000, maxStreams: 4, resumeTimeout: 60_000 };

/** A direction of a link: what one end has sent. */
interface Lane {
  readonly wire: ManualWire;
  /** The other direction of the same link. */
  readonly back: ManualWire;
}

/** What happens to a frame. */
interface Fault {
  /** Returns whether it arrived. */
  act(run: Run, lane: Lane, length: number): boolean;
  /** With how many links some frames arrive again. */
  readonly repeats: "any" | "several" | "none";
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "is lost with its link": {
    repeats: "any",
    act(_, { wire }) {
      wire.cut();
      return false;
    },
  },
  "is cut in two": {
    repeats: "any",
    act(_, { wire }, length) {
      wire.deliver(Math.floor(length / 2));
      wire.cut();
      return false;
    },
  },
  "arrives, and its link is lost": {
    repeats: "any",
    act(_, { wire }, length) {
      wire.deliver(length);
      wire.cut();
      return true;
    },
  },
  "is overtaken": {
    repeats: "none",
    act(run, { wire }) {
      run.hold(wire, SHORT);
      return false;
    },
  },
  "is late": {
    repeats: "several",
    act(run, { wire }) {
      run.hold(wire, LONG);
      return false;
    },
  },
  "arrives, and is acknowledged late": {
    repeats: "several",
    act(run, { wire, back }, length) {
      wire.deliver(length);
      run.hold(back, LONG);
      return true;
    },
  },
};

/** What became of the frames of streams. */
interface Tally {
  /** Those that arrived again. */
  repeated: number;
  /** Those that arrived after a later one of their stream. */
  overtaken: number;
}

class Run {
  readonly pair = new WatchedPair(OPTIONS);
  #counts = false;
  readonly tally: Tally = { repeated: 0, overtaken: 0 };
  /** Frames that were about to arrive so far. */
  frames = 0;
  /** When directions that are held go on. */
  readonly #held = new Map<ManualWire, number>();
  /** The numbers of each stream and direction that arrived. */
  readonly #arrived = new Map<string, Set<number>>();

  constructor(
    readonly links: number,
    readonly fault?: { readonly frame: number; readonly act: Fault["act"] },
  ) {}

  hold(wire: ManualWire, ms: number): void {
    this.#held.set(wire, this.pair.clock.now() + ms);
  }

  /** Runs the transfer; returns the bytes sent and received by each end of each stream. */
  async transfer(): Promise<object> {
    const { pair } = this;
    await pair.begin();
    while (pair.links.length < this.links) pair.link();
    // A session without a stream ends with its last link (SPEC.md 3.7): this stream comes before the faults.
    pair.sides[0].open(10);
    await this.#move();
    this.#counts = true;
    for (const size of [0, 300]) pair.sides[0].open(size);
    await this.#move();
    // One is bulk, which goes by another link.
    this.#write(0, 1, 150_000);
    this.#write(0, 2, 20);
    await this.#move();
    this.#write(1, 2, 40_000);
    this.#write(0, 1, 30_000);
    this.#end(0, 2);
    await this.#move();
    for (const [side, index] of [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]] as const) this.#end(side, index);
    await this.#move();
    const bytes = pair.sides.map(({ streams }) =>
      streams.map(({ stream, sent, got }) => [stream.id, sent, got])
    );
    for (const { error } of pair.sides) assert.ok(error === undefined || this.links === 1, `${error}`);
    await pair.assertEnd([]);
    return bytes;
  }

  #write(side: 0 | 1, index: number, size: number): void {
    this.pair.sides[side].byId.get(2 * index + 1)!.act("write", size);
  }

  #end(side: 0 | 1, index: number): void {
    this.pair.sides[side].byId.get(2 * index + 1)!.act("end", 0);
  }

  /** Lets everything in flight arrive, one frame of each direction in turn, until nothing moves any more. */
  async #move(): Promise<void> {
    const { pair } = this;
    for (let idle = 0; idle < 10; idle++) {
      if (pair.links.length === 0) pair.link();
      for (const [near, far] of pair.links) {
        if (this.#step({ wire: near, back: far })) idle = 0;
        if (this.#step({ wire: far, back: near })) idle = 0;
        await pair.settle();
      }
      pair.all("resume");
      pair.all("consume");
      // Time passes while nothing but a held direction has something.
      pair.clock.advance(idle > 5 && this.#held.size > 0 ? 50 : 1);
      if (this.#held.size > 0) idle = Math.min(idle, 6);
      await pair.settle();
    }
  }

  /** Lets the next frame of a direction arrive; returns whether there was one. */
  #step({ wire, back }: Lane): boolean {
    const until = this.#held.get(wire);
    if (until !== undefined && until > this.pair.clock.now() && !wire.over) return false;
    this.#held.delete(wire);
    const { next } = wire;
    if (next === undefined || wire.over) return false;
    const isHit = this.#counts && ++this.frames === this.fault?.frame;
    const arrives = isHit ? this.fault!.act(this, { wire, back }, next.length) : true;
    if (!isHit) wire.deliver(next.length);
    if (arrives) this.#note(next.json, wire);
    return true;
  }

  #note(json: string, wire: ManualWire): void {
    const { payload: { stream, n } } = JSON.parse(json);
    if (n === undefined) return;
    const key = `${stream} ${this.pair.links.some(([near]) => near === wire)}`;
    const seen = this.#arrived.get(key) ?? new Set();
    this.#arrived.set(key, seen);
    if (seen.has(n)) this.tally.repeated++;
    else if (Math.max(...seen) > n) this.tally.overtaken++;
    seen.add(n);
  }
}

for (const links of [1, 2, 3]) {
  for (const [what, { act, repeats }] of Object.entries(FAULTS)) {
    Deno.test(`streams get the same bytes when any frame ${what}, with ${countOf(links, "link")}`, async () => {
      const plain = new Run(links);
      const reference = await plain.transfer();
      assert.ok(plain.frames > 20, `${plain.frames} frames`);
      assert.equal(plain.tally.repeated, 0);
      const sum: Tally = { repeated: 0, overtaken: 0 };
      for (let frame = 1; frame <= plain.frames; frame++) {
        const run = new Run(links, { frame, act });
        try {
          assert.deepEqual(await run.transfer(), reference);
        } catch (error) {
          throw new Error(`frame ${frame} of ${plain.frames}: ${error}`, { cause: error });
        }
        sum.repeated += run.tally.repeated;
        sum.overtaken += run.tally.overtaken;
      }
      // Whether the fault does what it says.
      assert.equal(
        sum.repeated > 0,
        repeats === "any" || repeats === "several" && links > 1,
        "some arrived twice",
      );
      assert.equal(sum.overtaken > 0, links > 1, "some were overtaken");
    });
  }
}
