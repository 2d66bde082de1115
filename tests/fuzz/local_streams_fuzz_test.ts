/** Streams within a process: whatever their consumers do, no byte is lost, duplicated or reordered. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { SallyportError } from "../../shared/errors.ts";
import { LocalStreams } from "../../shared/mux/local/local_streams.ts";
import { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import type { MuxStream } from "../../shared/mux/stream/stream.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";

type Act = "open" | "write" | "end" | "reset" | "resume" | "consume" | "turn";
const step = fc.record({
  act: fc.constantFrom<Act>(
    ...[
      "open",
      "write",
      "write",
      "write",
      "end",
      "reset",
      "resume",
      "resume",
      "consume",
      "turn",
      "turn",
    ] as const,
  ),
  which: fc.nat(20),
  size: fc.oneof(fc.nat(50), fc.nat(9_000)),
});

/** One end of a stream, with what it sent and received. */
class End {
  sent = 0;
  ended = false;
  got = 0;
  gotEnd = false;
  readonly closed: (SallyportError | undefined)[] = [];
  #unconsumed = 0;

  constructor(readonly stream: MuxStream) {
    stream.listen({
      data: (bytes) => {
        assert.equal(this.gotEnd, false, "bytes after the end");
        for (const byte of bytes) assert.equal(byte, this.got++ % 251, "a byte out of order");
        this.#unconsumed += bytes.byteLength;
      },
      end: () => this.gotEnd = true,
      closed: (error) => this.closed.push(error),
    });
  }

  act(act: Act, size: number): void {
    const { stream } = this;
    if (act === "write" && !this.ended && !stream.over) {
      stream.write(Uint8Array.from({ length: size }, (_, i) => (this.sent + i) % 251));
      this.sent += size;
    } else if (act === "end") {
      stream.end();
      this.ended = true;
    } else if (act === "reset" && size % 3 === 0) stream.reset("cancelled", "x");
    else if (act === "resume") stream.resume();
    else if (act === "consume") {
      stream.consumed(this.#unconsumed);
      this.#unconsumed = 0;
    }
  }
}

async function settle(clock: ManualClock): Promise<void> {
  clock.advance(0);
  for (let i = 0; i < 6; i++) await Promise.resolve();
}

fuzz(
  "streams within a process lose no byte",
  [fc.array(step, { minLength: 30, maxLength: 150, size: "max" })],
  async (steps) => {
    const [near, far, consumerErrors]: [End[], Map<number, End>, SallyportError[]] = [[], new Map(), []];
    const clock = new ManualClock();
    const budget = new MemoryBudget(0, 10_000_000);
    const streams = new LocalStreams({
      clock,
      budget,
      where: "the program",
      options: { initialWindow: 4_000, maxStreams: 4, queueHighMark: 9_000, queueLowMark: 2_000 },
      stream(stream) {
        stream.send({ type: "connect_ack", payload: {} });
        far.set(stream.id, new End(stream));
      },
      consumerError: (error) => consumerErrors.push(error),
    });
    const open = () => {
      if (streams.size >= 4) return;
      near.push(new End(streams.open({ type: "connect_request", payload: { host: "b", port: 2 } })));
    };
    for (const { act, which, size } of steps) {
      const ends = [...near, ...far.values()];
      if (act === "open") open();
      else if (act === "turn") await settle(clock);
      else ends[which % Math.max(1, ends.length)]?.act(act, size);
    }
    // Both ends read and end: every stream that was not reset has to arrive completely.
    for (let i = 0; i < 400; i++) {
      for (const end of [...near, ...far.values()]) {
        for (const act of ["resume", "end", "consume"] as const) end.act(act, 0);
      }
      await settle(clock);
    }
    assert.deepEqual(consumerErrors, []);
    assert.deepEqual([streams.size, budget.held.total, clock.timers], [0, 0, 0], "streams and memory left");
    for (const end of near) {
      const other = far.get(end.stream.id);
      for (const { closed } of other === undefined ? [end] : [end, other]) assert.equal(closed.length, 1);
      if (other === undefined || end.closed[0] !== undefined || other.closed[0] !== undefined) continue;
      assert.deepEqual([other.got, end.got], [end.sent, other.sent], `stream ${end.stream.id}`);
    }
  },
  { share: 0.012 },
);
