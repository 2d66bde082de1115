/** What a session's trace learns about its links, streams and frames. */
import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../tests/support/mux/memory_transport.ts";
import { RawPeer } from "../../tests/support/mux/raw_peer.ts";
import { OPENING } from "../../tests/support/mux/session_suite.ts";
import { SallyportError } from "../errors.ts";
import type { SessionTrace, TraceFields } from "./trace.ts";
import { acceptLink } from "./session/accept_link.ts";
import { Session } from "./session/session.ts";

const KEY = "0123456789abcdef".repeat(2);
const HELLO = { version: 2, software: "raw", window: 100_000, max_streams: 100 };

type Note = [event: string, fields: TraceFields];

/** A trace that records what it learns. */
class TraceNotes implements SessionTrace {
  readonly lives: Note[] = [];
  readonly frames: Note[] = [];

  life(event: string, fields: TraceFields): void {
    this.lives.push([event, fields]);
  }

  frame(event: string, fields: TraceFields): void {
    this.frames.push([event, fields]);
  }

  /** The events so far, with their links and streams. */
  take(): string[] {
    const ids = ({ link, stream }: TraceFields) => [link, stream].filter((id) => id !== undefined);
    return this.lives.splice(0).map(([event, fields]) => [event, ...ids(fields)].join(" "));
  }
}

/** A dialer's session with a trace, and ways to dial for it. */
class Bench {
  readonly trace = new TraceNotes();
  readonly clock = new ManualClock();
  readonly closed = Promise.withResolvers<SallyportError | undefined>();
  readonly session = new Session({
    role: "dialer",
    key: KEY,
    trace: this.trace,
    clock: this.clock,
    options: { resumeTimeout: 60_000 },
    events: { consumerError: assert.fail, closed: (error) => this.closed.resolve(error) },
  });

  async dial(): Promise<RawPeer> {
    const [near, far] = MemoryTransport.pair();
    const peer = new RawPeer(far);
    this.session.dialled(near);
    await peer.next("hello");
    peer.send("hello", HELLO);
    await peer.settled();
    return peer;
  }
}

Deno.test("session traces its life, and that of its links and streams", async () => {
  const bench = new Bench();
  const { session, trace, clock, closed } = bench;
  const first = await bench.dial();
  assert.deepEqual(trace.take(), ["link opened 1", "session opened"]);
  session.open(OPENING, new Uint8Array([1, 2, 3])).end();
  await first.next("connect_request");
  clock.advance(4_000);
  assert.deepEqual(trace.take(), ["stream opened 1", "link suspect 1"]);
  first.send("ack", { bytes: first.received });
  await first.settled();
  assert.deepEqual(trace.take(), ["link recovered 1"]);
  first.abort();
  await MemoryTransport.settled();
  const [[, lost]] = trace.lives as [Note];
  assert.equal(lost["code"], "tunnel_down");
  assert.deepEqual(trace.take(), ["link lost 1", "session waiting"]);
  const second = await bench.dial();
  await bench.dial();
  assert.deepEqual(trace.take(), ["link opened 2", "session resumed 2", "link opened 3"]);
  session.retireLink();
  await MemoryTransport.settled();
  assert.deepEqual(trace.take(), ["link retired 3", "link closed 3"]);
  second.send("connect_ack", { stream: 1 }, [4, 5]);
  second.send("reset", { stream: 1, code: "target_reset", message: "gone" });
  await second.settled();
  const ended = { sent_bytes: 3, received_bytes: 2, code: "target_reset", error: "gone" };
  assert.deepEqual(trace.lives.splice(0), [["stream ended", { stream: 1, ...ended }]]);
  session.close("going_away", "done");
  await closed.promise;
  const why = { code: "going_away", error: "done" };
  assert.deepEqual(trace.lives, [["link closed", { link: 2 }], ["session ended", why]]);
});

Deno.test("session traces frames of both directions without anything of their content", async () => {
  const bench = new Bench();
  const peer = await bench.dial();
  bench.session.open({ type: "connect_request", payload: { host: "secret.example", port: 443 } });
  await peer.next("connect_request");
  const bytes = peer.send("connect_ack", { stream: 1 }, [1, 2, 3]);
  peer.send("x".repeat(100), { stream: 1 });
  await peer.settled();
  bench.session.close("going_away", "done");
  await bench.closed.promise;
  const received = { type: "connect_ack", stream: 1, n: 0, link: 1, bytes, body_bytes: 3 };
  assert.deepEqual(bench.trace.frames.find(([, { type }]) => type === "connect_ack"), [
    "frame received",
    received,
  ]);
  const told = bench.trace.frames.map(([event, { type, n }]) =>
    `${event}: ${type}${n === undefined ? "" : ` ${n}`}`
  );
  for (const frame of ["frame sent: hello", "frame received: hello", "frame sent: connect_request 0"]) {
    assert.ok(told.includes(frame), `${frame} in ${told}`);
  }
  assert.ok(told.includes("frame received: unknown"));
  assert.ok(told.includes("frame sent: goaway"));
  assert.doesNotMatch(JSON.stringify(bench.trace.frames), /secret|xxx|done|0123456789abcdef/);
});

Deno.test("listener traces a link by the dialer's number, its hello included", async () => {
  const [near, far] = MemoryTransport.pair();
  const trace = new TraceNotes();
  const clock = new ManualClock();
  const closed = Promise.withResolvers<void>();
  const create = (key: string) =>
    new Session({
      role: "listener",
      key,
      trace,
      clock,
      events: { consumerError: assert.fail, closed: () => closed.resolve() },
    });
  const link = acceptLink({ transport: near, clock, find: () => undefined, create });
  const peer = new RawPeer(far);
  peer.hello({ session: KEY, link: 7 });
  await peer.settled();
  assert.equal(link.id, 7);
  assert.deepEqual(trace.take(), ["link opened 7", "session opened"]);
  const hellos = trace.frames.filter(([, { type }]) => type === "hello");
  assert.deepEqual(hellos.map(([event, { link }]) => [event, link]), [
    ["frame received", 7],
    ["frame sent", 7],
  ]);
  assert.equal(trace.frames[0], hellos[0]);
  peer.close();
  await closed.promise;
});
