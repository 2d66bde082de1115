/** Two sessions whose links come, go and stall: no byte is lost, duplicated or reordered (SPEC.md 3.7, 3.8). */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ManualWire } from "../support/mux/manual_wire.ts";
import { assertSameBytes, type StreamAct, WatchedSide } from "../support/mux/watched_side.ts";

type Act = StreamAct | "open" | "drain" | "deliver" | "wait" | "stall" | "link" | "cut";
interface Step {
  act: Act;
  side: number;
  which: number;
  size: number;
}

const MAX_LINKS = 4;
/** Milliseconds that a session waits for a link: longer than a test. */
const RESUME_TIMEOUT = 240_000;
/** With windows that let a stream become bulk, which goes by other links. */
const OPTIONS = { initialWindow: 300_000, maxWindow: 600_000, maxStreams: 4, resumeTimeout: RESUME_TIMEOUT };
/** By how much writes are longer than the steps say: so many bytes are bulk. */
const WRITE_FACTOR = 10;
/** Milliseconds in which links may stall: not so long that they are dead (SPEC.md 3.2). */
const MAX_STALL = 4_000;

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom<Act>(
    ...["open", "open", "write", "write", "write", "end", "reset", "resume", "resume", "consume"] as const,
    ...["deliver", "deliver", "deliver", "deliver", "deliver", "deliver", "wait", "stall"] as const,
    ...["link", "link", "cut", "drain"] as const,
  ),
  side: fc.nat(1),
  which: fc.nat(20),
  size: fc.oneof(fc.nat(50), fc.nat(9_000)),
});

class Run {
  readonly clock = new ManualClock();
  readonly sides = [
    new WatchedSide("dialer", this.clock, OPTIONS),
    new WatchedSide("listener", this.clock, OPTIONS),
  ] as const;
  /** Connections, with the dialer's end first. */
  links: [ManualWire, ManualWire][] = [];
  /** Whether a session may have ended because it had no link and no stream (SPEC.md 3.7). */
  wasAlone = false;

  /** Dials a link. */
  link(): void {
    const [dialer, listener] = this.sides;
    if (dialer.session.state === "closed" || this.links.length === MAX_LINKS) return;
    const [near, far] = ManualWire.pair();
    this.links.push([near, far]);
    listener.accept(far);
    dialer.session.dialled(near);
  }

  async take(step: Step): Promise<void> {
    this.#act(step);
    await this.settle();
  }

  #act({ act, side: index, which, size }: Step): void {
    const side = this.sides[index]!;
    const watched = side.streams[which % Math.max(1, side.streams.length)];
    const link = this.links[which % Math.max(1, this.links.length)];
    switch (act) {
      case "open":
        return side.open(size);
      case "deliver":
        return link?.[index]?.deliver(size * 20);
      case "wait":
        return this.clock.advance(size % 10);
      case "stall":
        return this.clock.now() < MAX_STALL ? this.clock.advance(size % 400) : undefined;
      case "link":
        return this.link();
      case "cut":
        return this.#cut(link, which);
      case "drain":
        return which < 1 ? side.session.drain() : undefined;
      case "write":
        return watched?.act(act, size * WRITE_FACTOR);
      default:
        return watched?.act(act, size);
    }
  }

  /** Cuts a link; rarely the last one. */
  #cut(link: [ManualWire, ManualWire] | undefined, which: number): void {
    const isLast = this.sides.some(({ session }) => session.linkCounts.open === 1);
    if (isLast && which > 3) return;
    this.wasAlone ||= isLast;
    link?.[0].cut();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 6; i++) await Promise.resolve();
    this.links = this.links.filter((wires) => wires.some(({ over }) => !over));
  }

  /** Delivers everything in flight. */
  async flush(): Promise<void> {
    for (let i = 0; i < 400; i++) {
      if (this.links.length === 0) this.link();
      await this.settle();
      for (const wires of [...this.links]) {
        for (const wire of wires) wire.deliver(1_000_000);
        await this.settle();
      }
      for (const { streams } of this.sides) for (const watched of streams) watched.act("consume", 0);
      this.clock.advance(1);
      await this.settle();
    }
  }
}

fuzz(
  "sessions lose no byte while their links come and go",
  [fc.array(step, { minLength: 50, maxLength: 250, size: "max" })],
  async (steps) => {
    const run = new Run();
    run.link();
    for (const _ of [1, 2]) {
      await run.settle();
      for (const wire of run.links[0]!) wire.deliver(1_000);
    }
    for (const each of steps) await run.take(each);
    // Both ends read and end: every stream that was not reset has to arrive completely.
    for (let i = 0; i < 3; i++) {
      for (const { streams } of run.sides) {
        for (const watched of streams) {
          watched.act("resume", 0);
          watched.act("end", 0);
        }
      }
      await run.flush();
    }
    // An end without streams does not wait for a link; the other one then waits in vain.
    if (run.sides.some(({ session }) => session.state === "closed")) run.clock.advance(RESUME_TIMEOUT);
    const lost = run.wasAlone ? ["tunnel_down", "session_unknown"] : [];
    for (const side of run.sides) {
      assert.ok(
        side.error === undefined || lost.includes(side.error.code),
        `session ended with ${side.error}`,
      );
      side.assertClosed(["cancelled", "going_away", "limit_reached", ...lost]);
    }
    assertSameBytes(...run.sides);
    for (const { session } of run.sides) session.close("going_away", "enough");
    for (let i = 0; i < 20; i++) {
      for (const wires of run.links) for (const wire of wires) wire.deliver(1_000_000);
      await run.settle();
    }
    run.clock.advance(2_000);
    for (const wires of run.links) for (const wire of wires) wire.deliver(1_000_000);
    for (const { budget } of run.sides) assert.equal(budget.held.total, 0, "memory is held");
    assert.equal(run.clock.timers, 0, "timers left");
  },
  { share: 0.012 },
);
