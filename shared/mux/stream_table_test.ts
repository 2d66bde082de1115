import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import type { OpeningMessage, StreamMessage } from "../protocol/messages.ts";
import { SallyportError } from "../errors.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { type SessionOptions, sessionOptions } from "./options.ts";
import { Sender } from "./sender.ts";
import { type Role, StreamTable } from "./stream_table.ts";

const opening: OpeningMessage = { type: "connect_request", payload: { host: "a", port: 1 } };
const data: StreamMessage = { type: "connect_data", payload: {} };
const violation = { name: "SallyportError", code: "protocol_violation" };

/** A sender that writes session messages down. */
class NotingSender extends Sender {
  readonly sent: string[] = [];

  constructor() {
    const nothing = () => {};
    super({
      transport: {
        start: nothing,
        write: nothing,
        pause: nothing,
        resume: nothing,
        close: nothing,
        abort: nothing,
      },
      clock: new ManualClock(),
      beforeWrite: nothing,
      overflow: nothing,
    });
  }

  override control(message: Parameters<Sender["control"]>[0]): void {
    const { stream, code } = message.payload as { stream?: number; code?: string };
    this.sent.push(`${message.type} ${stream} ${code}`);
  }
}

function makeTable(
  role: Role,
  options: Partial<SessionOptions> = {},
  peerAllows = 10,
  { budget = new MemoryBudget(0), client }: { budget?: MemoryBudget; client?: string } = {},
) {
  const sender = new NotingSender();
  let finished = 0;
  let wasted = 0;
  const table = new StreamTable({
    role,
    options: sessionOptions(options),
    budget,
    client,
    sender,
    fault: assert.fail,
    finished: () => finished++,
    wasted: () => wasted++,
  });
  table.greet({ window: 1_000, max_streams: peerAllows });
  const receive = (id: number, message: StreamMessage, bodyLength = 0) =>
    table.receive({ kind: "stream", id, message, end: false, trailers: undefined }, bodyLength);
  return { table, sent: sender.sent, receive, finished: () => finished, wasted: () => wasted };
}

Deno.test("stream table gives the dialer odd ids and the listener even ones, rising (SPEC 4.1)", () => {
  for (const [role, ids] of [["dialer", [1, 3, 5]], ["listener", [2, 4, 6]]] as const) {
    const { table } = makeTable(role);
    assert.deepEqual([1, 2, 3].map((): number => table.open(opening).id), ids);
    assert.equal(table.size, 3);
  }
});

Deno.test("stream table keeps to the peer's limit, and opens again when one is over (SPEC 3.1)", () => {
  const { table } = makeTable("dialer", {}, 2);
  const first = table.open(opening);
  table.open(opening);
  assert.equal(table.room, 0);
  assert.throws(() => table.open(opening), { code: "limit_reached" });
  first.fail(new SallyportError("cancelled", "x"));
  assert.equal(table.room, 1);
  assert.equal(table.open(opening).id, 5);
});

Deno.test("stream table counts the peer's streams apart from its own", () => {
  const { table, receive } = makeTable("dialer", { maxStreams: 1 }, 1);
  table.open(opening);
  assert.ok(receive(2, opening)?.opened);
  assert.equal(table.room, 0);
  assert.equal(table.size, 2);
});

Deno.test("stream table refuses streams beyond its limit with limit_reached (SPEC 4.4)", () => {
  const { table, receive, sent } = makeTable("listener", { maxStreams: 1 });
  const first = receive(1, opening)!.stream;
  assert.equal(receive(3, opening), undefined);
  assert.deepEqual(sent, ["reset 3 limit_reached"]);
  assert.equal(receive(3, data), undefined, "what follows a refused opening is ignored");
  first.fail(new SallyportError("cancelled", "x"));
  assert.ok(receive(5, opening)?.opened);
  assert.equal(table.lastAccepted, 5);
});

Deno.test("stream table refuses streams while draining with going_away (SPEC 4.4)", () => {
  const { table, receive, sent } = makeTable("listener");
  table.refuse("going_away");
  assert.equal(receive(1, opening), undefined);
  assert.deepEqual(sent, ["reset 1 going_away"]);
  assert.equal(table.size, 0);
});

Deno.test("stream table refuses ids of the wrong parity and ids that do not rise (SPEC 4.1)", () => {
  const listener = makeTable("listener");
  assert.throws(() => listener.receive(2, opening), violation);
  listener.receive(5, opening);
  assert.throws(() => listener.receive(5, opening), violation);
  assert.throws(() => listener.receive(3, opening), violation);
  assert.ok(listener.receive(9, opening)?.opened, "gaps are allowed");
  const dialer = makeTable("dialer");
  assert.throws(() => dialer.receive(1, opening), violation);
  assert.ok(dialer.receive(2, opening)?.opened);
});

Deno.test("stream table tells an id that is over from one that never was (SPEC 4.4)", () => {
  const { table, receive } = makeTable("listener");
  const theirs = receive(5, opening)!.stream;
  const ours = table.open(opening);
  for (const id of [7, 4]) {
    assert.throws(() => receive(id, data), violation);
    assert.throws(() => table.find(id), violation);
  }
  theirs.fail(new SallyportError("cancelled", "x"));
  ours.fail(new SallyportError("cancelled", "x"));
  for (const id of [1, 2, 3, 5]) assert.equal(receive(id, data), undefined);
});

Deno.test("stream table resets a stream whose peer goes on after its end (SPEC 4.4)", () => {
  const { receive, sent } = makeTable("listener");
  const found = receive(1, opening)!;
  found.stream.receiveEnd(undefined);
  assert.equal(receive(1, data), undefined);
  assert.deepEqual(sent, ["reset 1 protocol_violation"]);
});

Deno.test("stream table refuses an opening whose bytes exceed the credit (SPEC 5.1)", () => {
  const { receive } = makeTable("listener", { initialWindow: 10, maxWindow: 10 });
  assert.throws(() => receive(1, opening, 11), { code: "flow_control_violation" });
});

Deno.test("stream table refuses to open what cannot travel, and uses no id for it", () => {
  const { table } = makeTable("dialer");
  const bad: OpeningMessage = { type: "connect_request", payload: { host: "a", port: 0 } };
  assert.throws(() => table.open(bad), { code: "bad_request" });
  assert.equal(table.open(opening).id, 1);
  assert.equal(table.room, 9);
});

Deno.test("stream table fails its own streams that the peer never looked at (SPEC 3.4)", () => {
  const { table, receive, finished } = makeTable("dialer");
  const streams = [table.open(opening), table.open(opening), table.open(opening)];
  const theirs = receive(6, opening)!.stream;
  table.failOwnAbove(3, new SallyportError("going_away", "x"));
  assert.deepEqual(streams.map(({ over }) => over), [false, false, true]);
  assert.deepEqual(streams.map(({ unseen }) => unseen), [false, false, true]);
  assert.equal(theirs.over, false);
  assert.equal(finished(), 1);
});

Deno.test("stream table fails all streams", () => {
  const { table, receive, finished } = makeTable("dialer");
  table.open(opening);
  receive(2, opening);
  table.failAll(new SallyportError("tunnel_down", "x"));
  assert.equal(table.size, 0);
  assert.equal(finished(), 2);
});

Deno.test("stream table counts what the peer opens for nothing (SPEC 4.6)", () => {
  const { table, receive, wasted } = makeTable("dialer", { maxStreams: 1 });
  const cancelled = new SallyportError("cancelled", "enough");
  receive(2, opening);
  receive(4, opening);
  assert.equal(wasted(), 1, "one beyond the limit");
  table.resetByPeer(2, cancelled);
  assert.equal(wasted(), 2, "one that was not answered");
  const own = table.open(opening);
  table.resetByPeer(own.id, cancelled);
  assert.equal(table.resetByPeer(2, cancelled), false, "it is over already");
  assert.equal(wasted(), 2, "neither the table's own nor one that is over");
});

Deno.test("stream table looks at no stream for a goaway that is repeated (SPEC 3.4)", () => {
  const { table, receive } = makeTable("dialer");
  for (let id = 2; id <= 200; id += 2) receive(id, opening);
  const error = new SallyportError("going_away", "x");
  assert.equal(countSteps(() => table.failOwnAbove(0, error)), 0, "there is no stream of its own");
  const kept = [table.open(opening), table.open(opening)];
  const unseen = [table.open(opening), table.open(opening)];
  assert.ok(countSteps(() => table.failOwnAbove(3, error)) > 0);
  assert.deepEqual([...kept, ...unseen].map(({ over }) => over), [false, false, true, true]);
  const repeated = [3, 4, 5, Number.MAX_SAFE_INTEGER];
  assert.equal(countSteps(() => repeated.forEach((id) => table.failOwnAbove(id, error))), 0);
  table.failOwnAbove(1, error);
  assert.deepEqual(kept.map(({ over }) => over), [false, true], "a lower one counts");
});

Deno.test("stream table leaves growth of windows to other clients (SPEC 5.5)", () => {
  const budget = new MemoryBudget(100_000);
  const grow = (client: string) => {
    const options = { initialWindow: 1_000, maxWindow: 16_000_000 };
    const { table, receive } = makeTable("listener", options, 10, { budget, client });
    const before = budget.reserved;
    for (let id = 1; id < 40; id += 2) {
      const { stream } = receive(id, opening)!;
      stream.resume(); // nobody listens, so that bytes count as handed on
      for (let i = 0; i < 200; i++) {
        assert.ok(receive(id, data, 1_000));
        stream.receiveBody(new Uint8Array(1_000));
      }
    }
    return { table, grown: budget.reserved - before };
  };
  const greedy = grow("greedy");
  const other = grow("other");
  assert.ok(greedy.grown <= 50_000, `${greedy.grown}`);
  assert.ok(other.grown > 10_000, `${other.grown}`);
  for (const { table } of [greedy, other]) table.failAll(new SallyportError("cancelled", "x"));
  assert.equal(budget.reserved, 0);
});

/** Counts the entries of maps that are looked at while `use` runs. */
function countSteps(use: () => void): number {
  const { prototype } = Map;
  const original = prototype[Symbol.iterator];
  let count = 0;
  prototype[Symbol.iterator] = function* (this: Map<unknown, unknown>) {
    for (const entry of this.entries()) {
      count++;
      yield entry;
    }
  } as typeof original;
  try {
    use();
  } finally {
    prototype[Symbol.iterator] = original;
  }
  return count;
}
