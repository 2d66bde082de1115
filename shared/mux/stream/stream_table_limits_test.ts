import assert from "node:assert/strict";
import { data, makeTable, opening } from "../../../tests/support/mux/recording_table.ts";
import { SallyportError } from "../../errors.ts";
import { MemoryBudget } from "../flow/memory_budget.ts";

Deno.test("stream table keeps to the peer's limit, and opens another when one closes (SPEC 3.1)", () => {
  const { table } = makeTable("dialer", {}, 2);
  const first = table.open(opening);
  table.open(opening);
  assert.equal(table.capacity, 0);
  assert.throws(() => table.open(opening), { code: "limit_reached" });
  first.fail(new SallyportError("cancelled", "x"));
  assert.equal(table.capacity, 1);
  assert.equal(table.open(opening).id, 1, "the peer never saw the first");
});

Deno.test("stream table counts the peer's streams separately from its own", () => {
  const { table, receive } = makeTable("dialer", { maxStreams: 1 }, 1);
  table.open(opening);
  assert.ok(receive(2, opening).opened);
  assert.equal(table.capacity, 0);
  assert.equal(table.size, 2);
});

Deno.test("stream table refuses streams beyond its limit with limit_reached (SPEC 4.4)", () => {
  const { table, receive, sent } = makeTable("listener", { maxStreams: 1 });
  const first = receive(1, opening).opened!;
  assert.equal(receive(3, opening).fate, "refused");
  assert.deepEqual(sent, ["reset 3 limit_reached"]);
  assert.equal(receive(3, data).fate, "late", "what follows a refused opening is ignored");
  first.fail(new SallyportError("cancelled", "x"));
  assert.ok(receive(5, opening).opened);
  assert.equal(table.lastAccepted, 5);
});

Deno.test("stream table counts streams that the peer abandons (SPEC 4.6)", () => {
  const { table, receive, abandoned } = makeTable("dialer", { maxStreams: 1 });
  const cancelled = new SallyportError("cancelled", "enough");
  receive(2, opening);
  receive(4, opening);
  assert.equal(abandoned(), 1, "one beyond the limit");
  table.resetByPeer(2, cancelled);
  assert.equal(abandoned(), 2, "one that was not answered");
  const own = table.open(opening);
  table.resetByPeer(own.id, cancelled);
  assert.equal(table.resetByPeer(2, cancelled), false, "it is closed already");
  assert.equal(abandoned(), 2, "neither the table's own nor a closed one");
});

Deno.test("stream table leaves room for windows of other clients to grow (SPEC 5.5)", () => {
  const budget = new MemoryBudget(100_000);
  const grow = (client: string) => {
    const options = { initialWindow: 1_000, maxWindow: 16_000_000 };
    const { table, receive } = makeTable("listener", options, 10, { budget, client });
    const before = budget.reserved;
    for (let id = 1; id < 40; id += 2) {
      receive(id, opening).opened!.resume(); // without a handler, bytes count as consumed
      for (let i = 0; i < 200; i++) assert.equal(receive(id, data, 1_000).fate, "taken");
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

Deno.test("stream table of a closed connection keeps a stream until its bytes are consumed", () => {
  const budget = new MemoryBudget(0);
  const { table, receive } = makeTable("listener", {}, 10, { budget });
  const stream = receive(1, opening).opened!;
  const closed: unknown[] = [];
  stream.listen({ data() {}, closed: (error) => closed.push(error) });
  stream.resume();
  receive(1, data, 100, { end: true });
  stream.send({ type: "connect_ack", payload: {} }, undefined, { end: true });
  while (stream.sendable) {
    stream.takeFrame(100);
    stream.frameWritten();
  }
  table.failAll(new SallyportError("tunnel_down", "the connection is lost"));
  assert.deepEqual(closed, []);
  assert.ok(budget.held.total >= 100, `${budget.held.total} bytes are held`);
  stream.consumed(100);
  assert.deepEqual(closed, [undefined]);
  assert.equal(budget.held.total, 0);
});

Deno.test("stream table does not count lingering streams, and keeps as many as may be open", () => {
  const { sent, receive } = makeTable("listener", { maxStreams: 1 });
  const closed: string[] = [];
  for (const id of [1, 5]) {
    const stream = receive(id, opening).opened!;
    assert.equal(receive(id + 2, opening).fate, "refused", "a second one is too many");
    assert.equal(sent.pop(), `reset ${id + 2} limit_reached`);
    stream.listen({ data() {}, closed: (error) => closed.push(`${id} ${error?.code}`) });
    stream.resume();
    receive(id, data, 100, { end: true });
    stream.send({ type: "connect_ack", payload: {} }, undefined, { end: true });
    stream.takeFrame(100);
    stream.frameWritten();
  }
  assert.deepEqual([closed, sent], [["1 limit_reached"], ["reset 1 limit_reached"]]);
});

Deno.test("stream table replaces a lingering stream with a new one", () => {
  const { table, receive } = makeTable("dialer", {}, 1);
  const stream = table.open(opening);
  assert.equal(table.capacity, 0);
  stream.listen({ data() {} });
  stream.resume();
  stream.end();
  while (stream.sendable) {
    stream.takeFrame(100);
    stream.frameWritten();
  }
  receive(1, { type: "connect_ack", payload: {} }, 100);
  assert.equal(table.capacity, 0);
  receive(1, data, 0, { end: true });
  assert.deepEqual([table.size, table.capacity], [1, 1]);
  stream.consumed(100);
  assert.deepEqual([table.size, table.capacity], [0, 1]);
});
