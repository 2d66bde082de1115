import assert from "node:assert/strict";
import fc from "fast-check";
import type { SessionOptions } from "../../../shared/mux/options.ts";
import { ManualClock } from "../manual_clock.ts";
import { ManualWire } from "./manual_wire.ts";
import { assertSameBytes, type StreamAct, WatchedSession } from "./watched_session.ts";

/** Something that one side, or a link, does. */
export interface Step<Act extends string> {
  readonly act: Act;
  /** 0 for the dialer, 1 for the listener. */
  readonly side: number;
  /** Which stream or link. */
  readonly which: number;
  /** Of what is written or delivered, or how long it takes. */
  readonly size: number;
}

/** Any steps; an act that is listed twice comes twice as often. */
export function steps<Act extends string>(acts: readonly Act[]): fc.Arbitrary<Step<Act>[]> {
  const step = fc.record({
    act: fc.constantFrom(...acts),
    side: fc.nat(1),
    which: fc.nat(20),
    size: fc.oneof(fc.nat(50), fc.nat(9_000)),
  });
  return fc.array(step, { minLength: 50, maxLength: 250, size: "max" });
}

/** Two watched sessions, and links between them whose bytes move when a test says so. */
export class WatchedPair {
  readonly clock = new ManualClock();
  readonly sides: readonly [WatchedSession, WatchedSession];
  /** Connections that are not over, with the dialer's end first. */
  links: [ManualWire, ManualWire][] = [];

  constructor(options: Partial<SessionOptions>) {
    this.sides = [
      new WatchedSession("dialer", this.clock, options),
      new WatchedSession("listener", this.clock, options),
    ];
  }

  /** Dials a link, unless the dialer's session is over. */
  link(): void {
    const [dialer, listener] = this.sides;
    if (dialer.session.state === "closed") return;
    const [near, far] = ManualWire.pair();
    this.links.push([near, far]);
    listener.accept(far);
    dialer.session.dialled(near);
  }

  /** Dials the first link and greets. */
  async begin(): Promise<void> {
    this.link();
    for (const wire of this.links[0]!) {
      await this.settle();
      wire.deliver(1_000);
    }
    await this.settle();
  }

  /** Does what a step says, if it is something that a side does. */
  act(step: Step<string>): void {
    const side = this.sides[step.side]!;
    if (step.act === "open") return side.open(step.size);
    const watched = side.streams[step.which % Math.max(1, side.streams.length)];
    watched?.act(step.act as StreamAct, step.size);
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 6; i++) await Promise.resolve();
    this.links = this.links.filter((wires) => wires.some(({ over }) => !over));
  }

  /** Both ends of all streams read and end, and everything arrives. @param redials Whether a lost link is replaced. */
  async finish(redials: boolean): Promise<void> {
    for (let i = 0; i < 3; i++) {
      this.all("resume");
      this.all("end");
      await this.#flush(redials);
    }
  }

  /** Does this on both ends of all streams. */
  all(act: StreamAct): void {
    for (const { streams } of this.sides) for (const watched of streams) watched.act(act, 0);
  }

  /**
   * Fails unless every stream has closed, in order with the same bytes at both ends or with one of these codes, and the
   * sessions leave nothing behind when they close.
   */
  async assertEnd(codes: readonly string[]): Promise<void> {
    for (const side of this.sides) side.assertClosed(codes);
    assertSameBytes(...this.sides);
    for (const { session } of this.sides) session.close("going_away", "enough");
    for (let i = 0; i < 20; i++) {
      this.#deliverAll();
      await this.settle();
    }
    this.clock.advance(2_000);
    this.#deliverAll();
    for (const { budget } of this.sides) assert.equal(budget.held.total, 0, "memory is held");
    assert.equal(this.clock.timers, 0, "timers left");
  }

  async #flush(redials: boolean): Promise<void> {
    for (let i = 0; i < 400; i++) {
      if (redials && this.links.length === 0) this.link();
      await this.settle();
      for (const wires of [...this.links]) {
        for (const wire of wires) wire.deliver(1_000_000);
        await this.settle();
      }
      this.all("consume");
      this.clock.advance(1);
      await this.settle();
    }
  }

  #deliverAll(): void {
    for (const wires of this.links) for (const wire of wires) wire.deliver(1_000_000);
  }
}
