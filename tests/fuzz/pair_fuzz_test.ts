/** Two sessions that keep to the protocol never accuse each other, and no byte is lost, doubled or out of place. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { SallyportError } from "../../shared/errors.ts";
import { Session } from "../../shared/mux/session.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { Transport, TransportEvents } from "../../shared/mux/transport.ts";
import { fuzz } from "../support/fuzz.ts";
import { ManualClock } from "../support/manual_clock.ts";

type Act = "open" | "write" | "end" | "reset" | "resume" | "consume" | "drain" | "deliver" | "wait";
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

/** Bytes on their way, delivered in pieces when the test says so. */
class Wire implements Transport {
  peer!: Wire;
  events!: TransportEvents;
  #queue: { bytes: Uint8Array; written: () => void }[] = [];
  #ended = false;
  over = false;
  start(events: TransportEvents): void {
    this.events = events;
  }
  write(bytes: Uint8Array, written: () => void): void {
    assert.equal(this.#ended, false, "written after the end");
    this.#queue.push({ bytes: bytes.slice(), written });
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.#ended = true;
  }
  abort(): void {
    this.#queue = [];
    this.#ended = true;
  }
  get idle(): boolean {
    return this.#queue.length === 0;
  }
  /** Delivers up to `size` bytes. */
  deliver(size: number): void {
    const first = this.#queue[0];
    if (first === undefined) return this.#deliverEnd();
    const part = first.bytes.subarray(0, size);
    first.bytes = first.bytes.subarray(part.byteLength);
    if (first.bytes.byteLength === 0) {
      this.#queue.shift();
      first.written();
    }
    if (part.byteLength > 0 && !this.peer.over) this.peer.events.data(part);
  }
  #deliverEnd(): void {
    if (!this.#ended || this.peer.over) return;
    this.peer.over = true;
    this.peer.#ended = true;
    this.peer.events.closed(undefined);
    if (!this.over && this.peer.idle) {
      this.over = true;
      this.events.closed(undefined);
    }
  }
}

/** One end of a stream, and what it did. */
interface Watched {
  stream: MuxStream;
  sent: number;
  ended: boolean;
  got: number;
  unconsumed: number;
  gotEnd: boolean;
  closed: (SallyportError | undefined)[];
}

class Side {
  readonly streams: Watched[] = [];
  readonly byId = new Map<number, Watched>();
  readonly wire = new Wire();
  session!: Session;
  error: SallyportError | undefined;
  closed = 0;
  readonly faults: SallyportError[] = [];

  begin(role: "dialer" | "listener", clock: ManualClock): void {
    this.session = new Session({
      transport: this.wire,
      role,
      clock,
      options: {
        initialWindow: 4_000,
        maxWindow: 30_000,
        maxStreams: 4,
        queueHighMark: 9_000,
        queueLowMark: 2_000,
      },
      events: {
        stream: (stream) => {
          stream.send({ type: "connect_ack", payload: {} });
          this.watch(stream);
        },
        closed: (error) => {
          this.error = error;
          this.closed++;
        },
        fault: (error) => this.faults.push(error),
      },
    });
  }

  watch(stream: MuxStream): Watched {
    const watched: Watched = {
      stream,
      sent: 0,
      ended: false,
      got: 0,
      unconsumed: 0,
      gotEnd: false,
      closed: [],
    };
    this.streams.push(watched);
    this.byId.set(stream.id, watched);
    stream.listen({
      data: (bytes) => {
        assert.equal(watched.gotEnd, false, "bytes after the end");
        for (const byte of bytes) assert.equal(byte, watched.got++ % 251, "a byte out of place");
        watched.unconsumed += bytes.byteLength;
      },
      end: () => watched.gotEnd = true,
      closed: (error) => watched.closed.push(error),
    });
    return watched;
  }
}

class Run {
  readonly clock = new ManualClock();
  readonly sides = [new Side(), new Side()] as const;

  constructor() {
    const [a, b] = this.sides;
    a.wire.peer = b.wire;
    b.wire.peer = a.wire;
    a.begin("dialer", this.clock);
    b.begin("listener", this.clock);
  }

  async take({ act, side: index, which, size }: Step): Promise<void> {
    const side = this.sides[index]!;
    const watched = side.streams[which % Math.max(1, side.streams.length)];
    if (act === "open") this.#open(side, size);
    else if (act === "deliver") side.wire.deliver(size * 20);
    else if (act === "wait") this.clock.advance(size % 10);
    else if (act === "drain" && which < 2) side.session.drain();
    else if (watched !== undefined) this.#act(watched, act, size);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 6; i++) await Promise.resolve();
  }

  /** Lets all that is under way arrive. */
  async flush(): Promise<void> {
    for (let i = 0; i < 400; i++) {
      for (const { wire, streams } of this.sides) {
        wire.deliver(1_000_000);
        for (const watched of streams) this.#act(watched, "consume", 0);
      }
      this.clock.advance(1);
      await this.settle();
    }
  }

  #open(side: Side, size: number): void {
    if (side.session.room <= 0) return;
    const bytes = pattern(0, size);
    const stream = side.session.open({ type: "connect_request", payload: { host: "b", port: 2 } }, bytes);
    side.watch(stream).sent = size;
  }

  #act(watched: Watched, act: Act, size: number): void {
    const { stream } = watched;
    if (act === "write" && !watched.ended && !stream.over) {
      stream.write(pattern(watched.sent, size));
      watched.sent += size;
    } else if (act === "end") {
      stream.end();
      watched.ended = true;
    } else if (act === "reset" && size % 3 === 0) stream.reset("cancelled", "x");
    else if (act === "resume") stream.resume();
    else if (act === "consume") {
      stream.consumed(watched.unconsumed);
      watched.unconsumed = 0;
    }
  }
}

/** Bytes whose values tell their place. */
function pattern(start: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (start + index) % 251);
}

fuzz(
  "sessions that obey never accuse each other and lose no byte",
  [fc.array(step, { minLength: 50, maxLength: 250, size: "max" })],
  async (steps) => {
    const run = new Run();
    run.sides.forEach(({ wire }) => wire.deliver(1_000));
    await run.settle();
    for (const { wire } of run.sides) wire.deliver(1_000);
    for (const each of steps) await run.take(each);
    // Everybody reads and ends: whatever was not reset has to arrive whole.
    for (let i = 0; i < 3; i++) {
      for (const { streams } of run.sides) {
        for (const watched of streams) {
          watched.stream.resume();
          watched.stream.end();
          watched.ended = true;
        }
      }
      await run.flush();
    }
    const [a, b] = run.sides;
    for (const side of run.sides) {
      assert.deepEqual(side.faults, []);
      assert.equal(side.error?.code, undefined, `session ended with ${side.error}`);
      assert.equal(side.session.streamCount, 0, "streams left");
      for (const { stream, closed } of side.streams) {
        assert.equal(closed.length, 1, `stream ${stream.id} was told ${closed.length} times`);
        assert.match(closed[0]?.code ?? "", /^(|cancelled|going_away|limit_reached)$/);
      }
    }
    for (const near of a.streams) {
      const far = b.byId.get(near.stream.id);
      // A reset may arrive when all is over for the other end.
      if (far === undefined || near.closed[0] !== undefined || far.closed[0] !== undefined) continue;
      assert.deepEqual([far.got, near.got], [near.sent, far.sent], `stream ${near.stream.id}`);
    }
    for (const { session } of run.sides) session.close("going_away", "enough");
    for (let i = 0; i < 20; i++) {
      for (const { wire } of run.sides) wire.deliver(1_000_000);
      await run.settle();
    }
    run.clock.advance(2_000);
  },
  { share: 0.012 },
);
