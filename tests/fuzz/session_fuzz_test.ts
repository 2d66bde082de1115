/** Whatever a peer sends, a session continues or ends with a code, and leaves nothing behind. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { SallyportError } from "../../shared/errors.ts";
import { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import { acceptLink } from "../../shared/mux/session/accept_link.ts";
import { Session } from "../../shared/mux/session/session.ts";
import type { MuxStream } from "../../shared/mux/stream/stream.ts";
import type { Transport, TransportEvents } from "../../shared/mux/transport.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { naiveDecode, naiveEncode } from "../support/mux/naive_codec.ts";
import { SESSION_KEY } from "../support/mux/session_pair.ts";

type Step =
  | { do: "send"; type: string; payload: object; body: number }
  | { do: "bytes"; bytes: number[] }
  | { do: "local"; act: "open" | "reset" | "write" | "end" | "resume" | "drain"; which: number }
  | { do: "wait"; ms: number };

const id = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: -1, max: 100 }));
/** Mostly the next number of the stream, which the run fills in. */
const n = fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.integer({ min: -1, max: 4 }));
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
  send("connect_request", { stream: id, n, ...common, ...target }),
  send("connect_request", { stream: id, n, ...target }),
  send("connect_data", { stream: id, n, ...common }),
  send("connect_data", { stream: id, n }),
  send("websocket_close", { stream: id, n }),
  send("connect_ack", { stream: id, n }),
  send("connect_ack", { stream: id, n, end: fc.constantFrom<unknown>(true, false, "yes") }),
  send("http_response", {
    stream: id,
    n,
    ...common,
    status: fc.constantFrom(100, 101, 200),
    reason: fc.constant(""),
    headers: fc.constant([]),
  }),
  send("window", { stream: id, total: fc.integer({ min: 0, max: 20_000_000 }) }),
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
  /** How often each stream emitted `closed`. */
  readonly closedCounts = new Map<MuxStream, number>();
  closed = 0;
  readonly consumerErrors: SallyportError[] = [];
  readonly session: Session;
  /** The next number of each stream of the peer. */
  readonly #numbers = new Map<number, number>();

  constructor(role: "dialer" | "listener") {
    const { clock, wire } = this;
    const options = { initialWindow: 5_000, maxWindow: 20_000, maxStreams: 3 };
    this.session = new Session({
      role,
      key: SESSION_KEY,
      clock,
      budget: this.budget,
      options,
      events: {
        stream: (stream) => this.#own(stream),
        closed: () => this.closed++,
        consumerError: (error) => this.consumerErrors.push(error),
      },
    });
    if (role === "dialer") this.session.dialled(wire);
    else acceptLink({ transport: wire, clock, options, find: () => undefined, create: () => this.session });
    const hello = { version: 2, software: "", window: 2_000, max_streams: 4, session: SESSION_KEY };
    this.#deliver(naiveEncode(JSON.stringify({ type: "hello", payload: hello })));
  }

  async take(step: Step): Promise<void> {
    if (step.do === "send") {
      const payload = this.#numbered(step.payload);
      this.#deliver(naiveEncode(JSON.stringify({ type: step.type, payload }), new Uint8Array(step.body)));
    } else if (step.do === "bytes") this.#deliver(step.bytes);
    else if (step.do === "wait") this.clock.advance(step.ms);
    else this.#local(step.act, step.which);
    await this.settle();
  }

  /** Runs microtasks and completes writes. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await Promise.resolve();
      if (!this.wire.over) { for (const written of this.wire.callbacks.splice(0)) written(); }
    }
  }

  /** With the next number of its stream, if it is a message of a stream without one. */
  #numbered(payload: { stream?: number; n?: number | undefined }): object {
    const { stream = 0, n } = payload;
    if (!("n" in payload)) return payload;
    const next = this.#numbers.get(stream) ?? 0;
    this.#numbers.set(stream, n === undefined ? next + 1 : Math.max(next, n + 1));
    return { ...payload, n: n ?? next };
  }

  #deliver(bytes: number[]): void {
    if (!this.wire.over) this.wire.events!.data(new Uint8Array(bytes));
  }

  #local(act: (Step & { do: "local" })["act"], which: number): void {
    const stream = this.streams[which % Math.max(1, this.streams.length)];
    if (act === "drain") this.session.drain();
    else if (act === "open") {
      if (this.session.capacity <= 0) return;
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
      closed: () => this.closedCounts.set(stream, (this.closedCounts.get(stream) ?? 0) + 1),
    });
  }
}

for (const role of ["dialer", "listener"] as const) {
  fuzz(
    `session as ${role} tolerates whatever a peer sends`,
    [fc.array(step, { maxLength: 40 })],
    async (steps) => {
      const run = new Run(role);
      for (const each of steps) await run.take(each);
      if (run.session.state !== "closed") run.session.close("going_away", "enough");
      await run.settle();
      run.clock.advance(2_000);
      assert.equal(run.closed, 1, "closed events of the session");
      assert.deepEqual(run.consumerErrors, []);
      assert.equal(run.session.streamCount, 0);
      for (const stream of run.streams) {
        assert.equal(run.closedCounts.get(stream), 1, `closed events of stream ${stream.id}`);
      }
      assert.equal(run.budget.reserved, 0);
      assert.equal(run.budget.held.total, 0, "memory is held");
      assert.equal(run.clock.timers, 0, "timers left");
      const { taken, frames } = naiveDecode(run.wire.written);
      assert.equal(taken, run.wire.written.length, "only complete frames were written");
      assert.equal(frames[0]?.type, "hello");
    },
    { share: 0.07 },
  );
}
