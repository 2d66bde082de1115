import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamIds } from "./stream_ids.ts";

const violation = { name: "SallyportError", code: "protocol_violation" };

Deno.test("stream ids of the dialer are odd, those of the listener even (SPEC 4.1)", () => {
  const [dialer, listener] = [new StreamIds("dialer"), new StreamIds("listener")];
  assert.deepEqual([dialer.next(), dialer.next(), dialer.next()], [1, 3, 5]);
  assert.deepEqual([listener.next(), listener.next(), listener.next()], [2, 4, 6]);
  assert.deepEqual([dialer.isOwn(7), dialer.isOwn(8), listener.isOwn(7)], [true, false, false]);
  assert.throws(() => dialer.accept(1), violation);
  assert.throws(() => listener.accept(2), violation);
});

Deno.test("stream ids are accepted in any order, each once (SPEC 4.1)", () => {
  const ids = new StreamIds("listener");
  assert.equal(ids.lastAccepted, 0);
  for (const id of [5, 1, 9, 3]) assert.equal(ids.accept(id), true, `${id}`);
  assert.equal(ids.lastAccepted, 9);
  for (const id of [1, 3, 5, 9]) assert.equal(ids.accept(id), false, `${id} again`);
  assert.equal(ids.accept(7), true);
  assert.equal(ids.lastAccepted, 9);
});

Deno.test("stream ids too far above the lowest missing one are refused (SPEC 4.1)", () => {
  const ids = new StreamIds("listener");
  assert.throws(() => ids.accept(65_539), violation);
  assert.equal(ids.accept(65_537), true);
  assert.throws(() => ids.accept(65_539), violation, "1 is still missing");
  assert.equal(ids.accept(1), true);
  assert.equal(ids.accept(65_539), true, "3 is the lowest missing one");
  assert.throws(() => ids.accept(65_541), violation);
  assert.equal(ids.lastAccepted, 65_539);
});

Deno.test("stream ids that are given back are used before new ones (SPEC 4.1)", () => {
  const ids = new StreamIds("dialer");
  assert.deepEqual([ids.next(), ids.next(), ids.next()], [1, 3, 5]);
  ids.giveBack(3);
  ids.giveBack(1);
  assert.deepEqual([ids.next(), ids.next()].toSorted(), [1, 3]);
  assert.equal(ids.next(), 7);
});

Deno.test("stream ids that were never used are refused (SPEC 4.4)", () => {
  const ids = new StreamIds("dialer");
  assert.throws(() => ids.requireUsed(1), violation);
  assert.throws(() => ids.requireUsed(2), violation);
  ids.next();
  ids.accept(4);
  ids.requireUsed(1);
  ids.requireUsed(4);
  assert.throws(() => ids.requireUsed(2), violation, "a gap");
  ids.giveBack(1);
  assert.throws(() => ids.requireUsed(1), violation, "the peer never saw it");
  ids.next();
  ids.requireUsed(1);
});

Deno.test("stream ids of a peer are remembered as a set remembers them", () => {
  const id = fc.nat(40).map((index) => 2 * index + 1);
  fc.assert(fc.property(fc.array(id, { maxLength: 80 }), (arriving) => {
    const ids = new StreamIds("listener");
    const seen = new Set<number>();
    for (const id of arriving) {
      assert.equal(ids.accept(id), !seen.has(id), `${id}`);
      seen.add(id);
      assert.equal(ids.lastAccepted, Math.max(...seen));
    }
    for (let id = 1; id < 90; id += 2) {
      if (seen.has(id)) ids.requireUsed(id);
      else assert.throws(() => ids.requireUsed(id), violation);
    }
  }));
});
