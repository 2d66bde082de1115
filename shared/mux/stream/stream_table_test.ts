import assert from "node:assert/strict";
import { data, makeTable, opening } from "../../../tests/support/mux/recording_table.ts";
import { SallyportError } from "../../errors.ts";
import type { OpeningMessage } from "../../protocol/messages.ts";

const violation = { name: "SallyportError", code: "protocol_violation" };

Deno.test("stream table gives the dialer odd ids and the listener even ones, rising (SPEC 4.1)", () => {
  for (const [role, ids] of [["dialer", [1, 3, 5]], ["listener", [2, 4, 6]]] as const) {
    const { table } = makeTable(role);
    assert.deepEqual([1, 2, 3].map((): number => table.open(opening).id), ids);
    assert.equal(table.size, 3);
  }
});

Deno.test("stream table refuses streams while draining with going_away (SPEC 4.4)", () => {
  const { table, receive, sent } = makeTable("listener");
  table.refuseStreams("going_away");
  assert.equal(receive(1, opening).fate, "refused");
  assert.deepEqual(sent, ["reset 1 going_away"]);
  assert.equal(table.size, 0);
});

Deno.test("stream table accepts ids of the peer's parity in any order (SPEC 4.1)", () => {
  const listener = makeTable("listener");
  assert.throws(() => listener.receive(2, opening), violation);
  for (const id of [5, 3, 9, 1]) assert.ok(listener.receive(id, opening).opened, `${id}`);
  assert.equal(listener.table.lastAccepted, 9);
  assert.throws(() => listener.receive(65_545, opening), violation, "7 is missing");
  const dialer = makeTable("dialer");
  assert.throws(() => dialer.receive(1, opening), violation);
  assert.ok(dialer.receive(2, opening).opened);
});

Deno.test("stream table drops copies of opening messages, of open streams and closed ones (SPEC 4.1)", () => {
  const { table, receive } = makeTable("listener");
  const stream = receive(1, opening, 5).opened!;
  assert.deepEqual(receive(1, opening, 5), { fate: "repeated" });
  assert.deepEqual([table.size, stream.bytesIn], [1, 5]);
  stream.fail(new SallyportError("cancelled", "x"));
  assert.deepEqual(receive(1, opening, 5), { fate: "repeated" });
  assert.equal(table.size, 0);
});

Deno.test("stream table refuses an opening message with another number than 0 (SPEC 4.8)", () => {
  const { receive } = makeTable("listener");
  assert.throws(() => receive(1, opening, 0, { n: 1 }), violation);
});

Deno.test("stream table reuses the id of a stream that the peer never saw (SPEC 4.1)", () => {
  const { table } = makeTable("dialer");
  const [first, second] = [table.open(opening), table.open(opening)];
  first.reset("cancelled", "x");
  assert.equal(table.open(opening).id, 1);
  second.takeFrame(0);
  second.reset("cancelled", "x");
  assert.equal(table.open(opening).id, 5, "the peer knows 3");
});

Deno.test("stream table ignores closed ids and refuses ids that were never opened (SPEC 4.4)", () => {
  const { table, receive } = makeTable("listener");
  const theirs = receive(5, opening).opened!;
  const ours = table.open(opening);
  ours.takeFrame(0);
  for (const id of [1, 3, 7, 4]) {
    assert.throws(() => receive(id, data), violation);
    assert.throws(() => table.find(id), violation);
  }
  theirs.fail(new SallyportError("cancelled", "x"));
  ours.fail(new SallyportError("cancelled", "x"));
  for (const id of [2, 5]) assert.deepEqual(receive(id, data), { fate: "late" });
});

Deno.test("stream table resets a stream whose peer sends after its end (SPEC 4.4)", () => {
  const { receive, sent } = makeTable("listener");
  receive(1, opening, 0, { end: true });
  receive(1, data);
  assert.deepEqual(sent, ["reset 1 protocol_violation"]);
});

Deno.test("stream table refuses an opening whose bytes exceed the credit (SPEC 5.1)", () => {
  const { receive } = makeTable("listener", { initialWindow: 10, maxWindow: 10 });
  assert.throws(() => receive(1, opening, 11), { code: "flow_control_violation" });
});

Deno.test("stream table refuses an invalid opening message, and uses no id for it", () => {
  const { table } = makeTable("dialer");
  const bad: OpeningMessage = { type: "connect_request", payload: { host: "a", port: 0 } };
  assert.throws(() => table.open(bad), { code: "bad_request" });
  assert.equal(table.open(opening).id, 1);
  assert.equal(table.capacity, 9);
});

Deno.test("stream table fails its own streams that the peer did not process (SPEC 3.4)", () => {
  const { table, receive, closed } = makeTable("dialer");
  const streams = [table.open(opening), table.open(opening), table.open(opening)];
  const theirs = receive(6, opening).opened!;
  table.failOwnAbove(3, new SallyportError("going_away", "x"));
  assert.deepEqual(streams.map(({ over }) => over), [false, false, true]);
  assert.deepEqual(streams.map(({ unprocessed }) => unprocessed), [false, false, true]);
  assert.equal(theirs.over, false);
  assert.equal(closed(), 1);
});

Deno.test("stream table fails all streams", () => {
  const { table, receive, closed } = makeTable("dialer");
  table.open(opening);
  receive(2, opening);
  table.failAll(new SallyportError("tunnel_down", "x"));
  assert.equal(table.size, 0);
  assert.equal(closed(), 2);
});

Deno.test("stream table iterates over no streams for a repeated goaway (SPEC 3.4)", () => {
  const { table, receive } = makeTable("dialer");
  for (let id = 2; id <= 200; id += 2) receive(id, opening);
  const error = new SallyportError("going_away", "x");
  assert.equal(countSteps(() => table.failOwnAbove(0, error)), 0, "there is no stream of its own");
  const kept = [table.open(opening), table.open(opening)];
  const unprocessed = [table.open(opening), table.open(opening)];
  assert.ok(countSteps(() => table.failOwnAbove(3, error)) > 0);
  assert.deepEqual([...kept, ...unprocessed].map(({ over }) => over), [false, false, true, true]);
  const repeated = [3, 4, 5, Number.MAX_SAFE_INTEGER];
  assert.equal(countSteps(() => repeated.forEach((id) => table.failOwnAbove(id, error))), 0);
  table.failOwnAbove(1, error);
  assert.deepEqual(kept.map(({ over }) => over), [false, true], "a lower one counts");
});

/** Counts the entries of maps that are iterated over while `use` runs. */
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
