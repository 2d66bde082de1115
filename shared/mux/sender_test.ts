import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { naiveDecode, type NaiveFrame, naiveSize } from "../../tests/support/naive_codec.ts";
import type { OpeningMessage } from "../protocol/messages.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { sessionOptions } from "./options.ts";
import { Sender } from "./sender.ts";
import { MuxStream } from "./stream.ts";

const opening: OpeningMessage = { type: "connect_request", payload: { host: "a", port: 1 } };

/** A sender over a connection that takes writes and says nothing until told to. */
class Bench {
  readonly frames: NaiveFrame[] = [];
  readonly writes: NaiveFrame[][] = [];
  readonly sender: Sender;
  beforeWrite = () => {};
  #pending: (() => void)[] = [];
  #nextId = 1;
  readonly #budget = new MemoryBudget(0);
  overflows = 0;

  constructor() {
    const write = (bytes: Uint8Array, written: () => void) => {
      const { frames, taken } = naiveDecode(bytes);
      assert.equal(taken, bytes.byteLength, "a write holds whole frames");
      this.writes.push(frames);
      this.frames.push(...frames);
      this.#pending.push(written);
    };
    const nothing = () => {};
    const transport = {
      start: nothing,
      write,
      pause: nothing,
      resume: nothing,
      close: nothing,
      abort: nothing,
    };
    this.sender = new Sender({
      transport,
      clock: new ManualClock(),
      beforeWrite: () => this.beforeWrite(),
      overflow: () => this.overflows++,
    });
  }

  /** Opens a stream that has these bytes to send. */
  open(bytes = 0): MuxStream {
    const stream = new MuxStream({
      id: this.#nextId,
      opening,
      own: true,
      options: sessionOptions(),
      budget: this.#budget,
      share: this.#budget.held.share(() => {}),
      sendCredit: 16_000_000,
      owner: {
        ready: (each) => this.sender.ready(each),
        sendCredit: () => {},
        sendReset: () => {},
        fault: assert.fail,
        finished: (each) => this.sender.remove(each),
      },
    });
    this.#nextId += 2;
    if (bytes > 0) stream.write(new Uint8Array(bytes));
    return stream;
  }

  /** Lets what is due be written. */
  async turn(): Promise<void> {
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  /** The connection has handed on all writes so far. */
  async written(): Promise<void> {
    await this.turn();
    for (const written of this.#pending.splice(0)) written();
    await this.turn();
  }

  /** Writes and acknowledges until nothing more comes. */
  async drain(): Promise<void> {
    for (let before = -1; before !== this.frames.length;) {
      before = this.frames.length;
      await this.written();
      this.sender.acknowledged(this.streamBytes());
    }
  }

  streamBytes(frames = this.frames): number {
    const ofStreams = frames.filter(({ type }) => type.startsWith("connect_"));
    return ofStreams.reduce((sum, frame) => sum + naiveSize(frame), 0);
  }

  /** Body bytes a stream has sent. */
  sentOf(stream: MuxStream, frames = this.frames): number {
    const own = frames.filter(({ payload }) => payload.stream === stream.id);
    return own.reduce((sum, { body }) => sum + body.length, 0);
  }
}

Deno.test("sender gathers what one event causes into one write", async () => {
  const bench = new Bench();
  bench.sender.control({ type: "ping", payload: { nonce: 1 } });
  bench.sender.control({ type: "pong", payload: { nonce: 2 } });
  bench.open(10);
  bench.open(10);
  assert.equal(bench.writes.length, 0);
  await bench.turn();
  assert.deepEqual(bench.writes.map((frames) => frames.map(({ type }) => type)), [
    ["ping", "pong", "connect_data", "connect_data"],
  ]);
});

Deno.test("sender lets session messages go first (SPEC 5.4)", async () => {
  const bench = new Bench();
  bench.open(100_000);
  bench.sender.control({ type: "ping", payload: { nonce: 1 } });
  await bench.turn();
  assert.equal(bench.frames[0]?.type, "ping");
});

Deno.test("sender cuts bodies to 65,536 bytes (SPEC 2.5)", async () => {
  const bench = new Bench();
  bench.open(1_000_000);
  await bench.drain();
  assert.equal(bench.frames.reduce((sum, { body }) => sum + body.length, 0), 1_000_000);
  for (const { body } of bench.frames) assert.ok(body.length <= 65_536, `${body.length}`);
});

Deno.test("sender keeps in flight what the estimate allows (SPEC 5.3)", async () => {
  const bench = new Bench();
  bench.open(5_000_000);
  const { path } = bench.sender;
  for (let i = 0; i < 10; i++) await bench.written();
  const sent = bench.streamBytes();
  assert.equal(path.inFlight, sent);
  assert.ok(sent <= path.window + 4_096, `${sent} of ${path.window}`);
  assert.ok(sent > path.window - 8_192, `${sent} of ${path.window}`);
  assert.equal(bench.sender.acknowledged(100_000), true);
  await bench.written();
  assert.ok(bench.streamBytes() > sent);
});

Deno.test("sender lets session messages pass when the path is full", async () => {
  const bench = new Bench();
  bench.open(5_000_000);
  for (let i = 0; i < 10; i++) await bench.written();
  const before = bench.streamBytes();
  bench.sender.control({ type: "pong", payload: { nonce: 1 } });
  await bench.turn();
  assert.equal(bench.frames.at(-1)?.type, "pong");
  assert.equal(bench.streamBytes(), before);
});

Deno.test("sender waits for the connection, and gathers meanwhile", async () => {
  const bench = new Bench();
  for (let nonce = 0; nonce < 10; nonce++) {
    bench.sender.control({ type: "ping", payload: { nonce } });
    await bench.turn();
  }
  const held = bench.writes.length;
  assert.ok(held < 10, `${held} writes at once`);
  await bench.written();
  assert.equal(bench.writes.length, held + 1, "the rest left in one write");
  assert.deepEqual(bench.frames.map(({ payload }) => payload.nonce), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("sender gives streams equal turns by bytes, whatever the size of their writes (SPEC 5.4)", async () => {
  const bench = new Bench();
  const [bulk, crumbs] = [bench.open(), bench.open()];
  bulk.write(new Uint8Array(900_000));
  for (let i = 0; i < 900; i++) crumbs.write(new Uint8Array(1_000));
  let widest = 0;
  for (let i = 0; i < 60 && bulk.bytesOut < 800_000; i++) {
    await bench.written();
    bench.sender.acknowledged(bench.streamBytes());
    const own = (stream: MuxStream) =>
      bench.streamBytes(bench.frames.filter(({ payload }) => payload.stream === stream.id));
    widest = Math.max(widest, Math.abs(own(bulk) - own(crumbs)));
  }
  assert.ok(bulk.bytesOut >= 500_000, `${bulk.bytesOut}`);
  assert.ok(widest <= 70_000, `one stream was ${widest} bytes ahead`);
});

Deno.test("sender lets a small stream in between two turns of a large one (SPEC 5.4)", async () => {
  const bench = new Bench();
  const bulk = bench.open(5_000_000);
  await bench.written();
  const small = bench.open(100);
  const before = bulk.bytesOut;
  bench.sender.acknowledged(bench.streamBytes());
  await bench.written();
  assert.equal(small.bytesOut, 100);
  const at = bench.frames.findIndex(({ payload }) => payload.stream === small.id);
  const ahead = bench.sentOf(bulk, bench.frames.slice(0, at)) - before;
  assert.ok(ahead <= 65_536, `${ahead} bytes went before`);
});

Deno.test("sender does not send for a stream that was removed", async () => {
  const bench = new Bench();
  const [gone, stays] = [bench.open(1_000), bench.open(1_000)];
  bench.sender.remove(gone);
  await bench.turn();
  assert.deepEqual([gone.bytesOut, stays.bytesOut], [0, 1_000]);
});

Deno.test("sender offers a place in every write of stream bytes", async () => {
  const bench = new Bench();
  let nonce = 0;
  bench.beforeWrite = () => bench.sender.control({ type: "ping", payload: { nonce: nonce++ } });
  bench.open(10);
  await bench.turn();
  assert.deepEqual(bench.writes[0]?.map(({ type }) => type), ["ping", "connect_data"]);
});

Deno.test("sender tells when all was handed on", async () => {
  const bench = new Bench();
  let idle = 0;
  bench.sender.control({ type: "ping", payload: { nonce: 1 } });
  bench.sender.whenIdle(() => idle++);
  await bench.turn();
  assert.equal(idle, 0);
  await bench.written();
  assert.equal(idle, 1);
  bench.sender.control({ type: "ping", payload: { nonce: 2 } });
  await bench.written();
  assert.equal(idle, 1);
});

Deno.test("sender that has nothing to do tells so soon", async () => {
  const bench = new Bench();
  let idle = 0;
  bench.sender.whenIdle(() => idle++);
  await bench.turn();
  assert.equal(idle, 1);
});

Deno.test("sender that was stopped sends nothing more", async () => {
  const bench = new Bench();
  bench.open(10);
  bench.sender.control({ type: "ping", payload: { nonce: 1 } });
  bench.sender.stop();
  bench.sender.control({ type: "ping", payload: { nonce: 2 } });
  await bench.written();
  assert.deepEqual(bench.frames, []);
});

Deno.test("sender sends the last of several acks that wait (SPEC 3.5)", async () => {
  const bench = new Bench();
  await bench.turn();
  for (let total = 1; total <= 1_000; total++) bench.sender.acknowledge(total);
  await bench.turn();
  assert.deepEqual(bench.frames.map(({ type, payload }) => [type, payload.bytes]), [["ack", 1_000]]);
});

Deno.test("sender bounds what waits for a peer that does not read (SPEC 3.5)", async () => {
  const bench = new Bench();
  for (let count = 0; count < 15_000; count++) {
    bench.sender.control({ type: "pong", payload: { nonce: 1e15 + count } });
    // The connection takes two writes and hands nothing on.
    if (count < 2) await bench.turn();
  }
  await bench.turn();
  assert.equal(bench.overflows, 0, "less than may wait");
  for (let count = 0; count < 15_001; count++) {
    bench.sender.control({ type: "pong", payload: { nonce: 1e15 + count } });
  }
  await bench.turn();
  assert.equal(bench.overflows, 1);
});
