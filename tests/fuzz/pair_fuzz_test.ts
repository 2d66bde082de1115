/** Two sessions never report a violation to each other, and no byte is lost, duplicated or reordered. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { ManualWire } from "../support/mux/manual_wire.ts";
import { assertSameBytes, SMALL_WINDOWS, type StreamAct, WatchedSide } from "../support/mux/watched_side.ts";

type Act = StreamAct | "open" | "drain" | "deliver" | "wait";
interface Step {
  act: Act;
  side: number;
  which: number;
  size: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom<Act>(
    ...["open", "open", "write", "write", "write", "end", "reset", "resume", "resume"] as const,
    ...["consume", "consume", "deliver", "deliver", "deliver", "deliver", "wait", "drain"] as const,
  ),
  side: fc.nat(1),
  which: fc.nat(20),
  size: fc.oneof(fc.nat(50), fc.nat(9_000)),
});

class Run {
  readonly clock = new ManualClock();
  readonly sides = [
    new WatchedSide("dialer", this.clock, SMALL_WINDOWS),
    new WatchedSide("listener", this.clock, SMALL_WINDOWS),
  ] as const;
  readonly wires = ManualWire.pair();

  /** Connects the sides: the dialer's hello comes first (SPEC.md 3.1). */
  async begin(): Promise<void> {
    const [dialer, listener] = this.sides;
    dialer.session.dialled(this.wires[0]);
    listener.accept(this.wires[1]);
    for (const wire of this.wires) {
      await this.settle();
      wire.deliver(1_000);
    }
  }

  async take({ act, side: index, which, size }: Step): Promise<void> {
    const side = this.sides[index]!;
    if (act === "open") side.open(size);
    else if (act === "deliver") this.wires[index]!.deliver(size * 20);
    else if (act === "wait") this.clock.advance(size % 10);
    else if (act === "drain") {
      if (which < 2) side.session.drain();
    } else side.streams[which % Math.max(1, side.streams.length)]?.act(act, size);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 6; i++) await Promise.resolve();
  }

  /** Delivers everything in flight. */
  async flush(): Promise<void> {
    for (let i = 0; i < 400; i++) {
      for (const [index, { streams }] of this.sides.entries()) {
        this.wires[index]!.deliver(1_000_000);
        for (const watched of streams) watched.act("consume", 0);
      }
      this.clock.advance(1);
      await this.settle();
    }
  }
}

fuzz(
  "sessions never report violations to each other and lose no byte",
  [fc.array(step, { minLength: 50, maxLength: 250, size: "max" })],
  async (steps) => {
    const run = new Run();
    await run.begin();
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
    for (const side of run.sides) {
      assert.equal(side.error?.code, undefined, `session ended with ${side.error}`);
      side.assertClosed(["cancelled", "going_away", "limit_reached"]);
    }
    assertSameBytes(...run.sides);
    for (const { session } of run.sides) session.close("going_away", "enough");
    for (let i = 0; i < 20; i++) {
      for (const wire of run.wires) wire.deliver(1_000_000);
      await run.settle();
    }
    run.clock.advance(2_000);
    for (const { budget } of run.sides) assert.equal(budget.held.total, 0, "memory is held");
    assert.equal(run.clock.timers, 0, "timers left");
  },
  { share: 0.012 },
);
