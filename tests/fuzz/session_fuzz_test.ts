/** A session bears whatever a peer sends: it goes on or ends with a code, and never leaves anything behind. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { SallyportError } from "../../shared/errors.ts";
import { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import { Session } from "../../shared/mux/session.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { Transport, TransportEvents } from "../../shared/mux/transport.ts";
import { fuzz } from "../support/fuzz.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { naiveDecode, naiveEncode } from "../support/naive_codec.ts";

type Step =
  | { do: "send"; type: string; payload: object; body: number }
  | { do: "bytes"; bytes: number[] }
  | { do: "local"; act: "open" | "reset" | "write" | "end" | "resume" | "drain"; which: number }
  | { do: "wait"; ms: number };

const id = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: -1, max: 100 }));
const common = { end: fc.constantFrom(true, undefined), trailers: fc.constantFrom(["a", "b"], undefined) };
const target = { host: fc.constant("a"), port: fc.integer({ min: 0, max: 99 }) };

function send(type: string, payload: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Step> {
  const body = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(3_000));
  return fc.record({
    do: fc.constant("send" as const),
    type: fc.constant(type),
    payload: fc.record(payload) as fc.Arbitrary<object>,
    body,
  });
}

const step: fc.Arbitrary<Step> = fc.oneof(
  send("connect_request", { stream: id, ...common, ...target }),
  send("connect_request", { stream: id, ...target }),
  send("connect_data", { stream: id, ...common }),
  send("connect_data", { stream: id }),
  send("websocket_close", { stream: id }),
  send("connect_ack", { stream: id }),
  send("connect_ack", { stream: id, end: fc.constantFrom<unknown>(true, false, "yes") }),
  send("http_response", {
    stream: id,
    ...common,
    status: fc.constantFrom(100, 101, 200),
    reason: fc.constant(""),
    headers: fc.constant([]),
  }),
  send("window", { stream: id, bytes: fc.integer({ min: 0, max: 20_000_000 }) }),
  send("ack", { bytes: fc.nat(400) }),
  send("reset", { stream: id, code: fc.constantFrom("cancelled", "unheard_of") }),
  send("ping", { nonce: fc.nat() }),
  send("goaway", { code: fc.constantFrom("going_away", "going_away", "internal"), last_stream: fc.nat(9) }),
  send("later", { stream: id }),
  send("later", {}),
  fc.record({ do: fc.constant("bytes" as const), bytes: fc.array(fc.nat(3), { maxLength: 9 }) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 3, 6_000) }),
  fc.record({
    do: fc.constant("local" as const),
    act: fc.constantFrom("open", "reset", "write", "end", "resume", "open", "write", "drain"),
    which: fc.nat(5),
  }),
);

/** A connection whose far end is the test. */
class Wire implements Transport {
  events: TransportEvents | undefined;
  readonly written: number[] = [];
  readonly callbacks: (() => void)[] = [];
  over = false;
  start(events: TransportEvents): void {
    this.events = events;
  }
  write(bytes: Uint8Array, written: () => void): void {
    assert.equal(this.over, false, "written after the end");
    this.written.push(...bytes);
    this.callbacks.push(written);
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.end(undefined);
  }
  abort(): void {
    this.end(new SallyportError("tunnel_down", "cut"));
  }
  end(error: SallyportError | undefined): void {
    if (this.over) return;
    this.over = true;
    this.events!.closed(error);
  }
}

class Run {
  readonly clock = new ManualClock();
  readonly budget = new MemoryBudget(1_000_000);
  readonly wire = new Wire();
  readonly streams: MuxStream[] = [];
  /** How often each stream was told that it is over. */
  readonly told = new Map<MuxStream, number>();
  closed = 0;
  readonly faults: SallyportError[] = [];
  readonly session: Session;

  constructor(role: "dialer" | "listener") {
    this.session = new Session({
      transport: this.wire,
      role,
      clock: this.clock,
      budget: this.budget,
      options: { initialWindow: 5_000, maxWindow: 20_000, maxStreams: 3 },
      events: {
        stream: (stream) => this.#own(stream),
        closed: () => this.closed++,
        fault: (error) => this.faults.push(error),
      },
    });
    const hello = { version: 1, software: "", window: 2_000, max_streams: 4 };
    this.#deliver(naiveEncode(JSON.stringify({ type: "hello", payload: hello })));
  }

  async take(step: Step): Promise<void> {
    if (step.do === "send") {
      this.#deliver(
        naiveEncode(JSON.stringify({ type: step.type, payload: step.payload }), new Uint8Array(step.body)),
      );
    } else if (step.do === "bytes") this.#deliver(step.bytes);
    else if (step.do === "wait") this.clock.advance(step.ms);
    else this.#local(step.act, step.which);
    await this.settle();
  }

  /** Lets everything due be written. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await Promise.resolve();
      if (!this.wire.over) { for (const written of this.wire.callbacks.splice(0)) written(); }
    }
  }

  #deliver(bytes: number[]): void {
    if (!this.wire.over) this.wire.events!.data(new Uint8Array(bytes));
  }

  #local(act: (Step & { do: "local" })["act"], which: number): void {
    const stream = this.streams[which % Math.max(1, this.streams.length)];
    if (act === "drain") this.session.drain();
    else if (act === "open") {
      if (this.session.room <= 0) return;
      this.#own(
        this.session.open({ type: "connect_request", payload: { host: "b", port: 2 } }, new Uint8Array(9)),
      );
    } else if (act === "reset") stream?.reset("cancelled", "x");
    else if (act === "write") stream?.write(new Uint8Array(700));
    else if (act === "end") stream?.end();
    else stream?.resume();
  }

  #own(stream: MuxStream): void {
    this.streams.push(stream);
    stream.listen({
      data: (bytes) => stream.consumed(bytes.byteLength),
      closed: () => this.told.set(stream, (this.told.get(stream) ?? 0) + 1),
    });
  }
}

for (const role of ["dialer", "listener"] as const) {
  fuzz(
    `session bears whatever a peer sends it as ${role}`,
    [fc.array(step, { maxLength: 40 })],
    async (steps) => {
      const run = new Run(role);
      for (const each of steps) await run.take(each);
      if (run.session.state !== "closed") run.session.close("going_away", "enough");
      await run.settle();
      run.clock.advance(2_000);
      assert.equal(run.closed, 1, "closed was told once");
      assert.deepEqual(run.faults, []);
      assert.equal(run.session.streamCount, 0);
      for (const stream of run.streams) {
        assert.equal(run.told.get(stream), 1, `stream ${stream.id} told once`);
      }
      assert.equal(run.budget.reserved, 0);
      assert.equal(run.budget.held.total, 0, "memory is held");
      assert.equal(run.clock.timers, 0, "timers left");
      const { taken, frames } = naiveDecode(run.wire.written);
      assert.equal(taken, run.wire.written.length, "only whole frames were written");
      assert.equal(frames[0]?.type, "hello");
    },
    { share: 0.07 },
  );
}
