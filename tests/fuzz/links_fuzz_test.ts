/** Two sessions whose links come, go and stall: no byte is lost, duplicated or reordered (SPEC.md 3.7, 3.8). */
import assert from "node:assert/strict";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { type Step, steps, WatchedPair } from "../support/mux/watched_pair.ts";

const MAX_LINKS = 4;
/** Milliseconds that a session waits for a link: longer than a test. */
const RESUME_TIMEOUT = 240_000;
/** With windows that let a stream become bulk, which goes by other links. */
const OPTIONS = { initialWindow: 300_000, maxWindow: 600_000, maxStreams: 4, resumeTimeout: RESUME_TIMEOUT };
/** By how much writes are longer than the steps say: so many bytes are bulk. */
const WRITE_FACTOR = 10;
/** Milliseconds in which links may stall: not so long that they are dead (SPEC.md 3.2). */
const MAX_STALL = 4_000;

const ACTS = [
  ...["open", "open", "write", "write", "write", "end", "reset", "resume", "resume", "consume"] as const,
  ...["deliver", "deliver", "deliver", "deliver", "deliver", "deliver", "wait", "stall"] as const,
  ...["link", "link", "cut", "drain"] as const,
];

class Run {
  readonly pair = new WatchedPair(OPTIONS);
  /** Whether a session may have ended because it had no link and no stream (SPEC.md 3.7). */
  wasAlone = false;

  take(step: Step<(typeof ACTS)[number]>): void {
    const { act, side, which, size } = step;
    const { clock, sides, links } = this.pair;
    switch (act) {
      case "deliver":
        return links[which % Math.max(1, links.length)]?.[side]?.deliver(size * 20);
      case "wait":
        return clock.advance(size % 10);
      case "stall":
        return clock.now() < MAX_STALL ? clock.advance(size % 400) : undefined;
      case "link":
        return links.length < MAX_LINKS ? this.pair.link() : undefined;
      case "cut":
        return this.#cut(which);
      case "drain":
        return which < 1 ? sides[side]!.session.drain() : undefined;
      case "write":
        return this.pair.act({ ...step, size: size * WRITE_FACTOR });
      default:
        return this.pair.act(step);
    }
  }

  /** Cuts a link; rarely the last one. */
  #cut(which: number): void {
    const { links, sides } = this.pair;
    const isLast = sides.some(({ session }) => session.linkCounts.open === 1);
    if (isLast && which > 3) return;
    this.wasAlone ||= isLast;
    links[which % Math.max(1, links.length)]?.[0].cut();
  }
}

fuzz(
  "sessions lose no byte while their links come and go",
  [steps(ACTS)],
  async (all) => {
    const run = new Run();
    const { pair } = run;
    await pair.begin();
    for (const step of all) {
      run.take(step);
      await pair.settle();
    }
    await pair.finish(true);
    // An end without streams does not wait for a link; the other one then waits in vain.
    if (pair.sides.some(({ session }) => session.state === "closed")) pair.clock.advance(RESUME_TIMEOUT);
    const lost = run.wasAlone ? ["tunnel_down", "session_unknown"] : [];
    for (const { error } of pair.sides) {
      assert.ok(error === undefined || lost.includes(error.code), `session ended with ${error}`);
    }
    await pair.assertEnd(["cancelled", "going_away", "limit_reached", ...lost]);
  },
  { share: 0.012 },
);
