import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { WaitingRoom } from "./waiting_room.ts";

Deno.test("waiting room admits everybody at once", async () => {
  const room = new WaitingRoom(new ManualClock(), 1_000);
  const all = Promise.all([room.wait(), room.wait()]);
  assert.equal(room.size, 2);
  room.admitAll();
  await all;
  assert.equal(room.size, 0);
});

Deno.test("waiting room sends away who waited too long, with the reason", async () => {
  const clock = new ManualClock();
  const room = new WaitingRoom(clock, 10_000);
  const waited = assert.rejects(room.wait(), (error: unknown) => {
    assert.ok(error instanceof SallyportError);
    assert.equal(error.code, "tunnel_down");
    assert.match(error.message, /within 10 s: the port is closed/);
    return true;
  });
  room.note(new SallyportError("tunnel_down", "the port is closed"));
  clock.advance(9_999);
  assert.equal(room.size, 1);
  clock.advance(1);
  assert.equal(room.size, 0);
  await waited;
});

Deno.test("waiting room refuses everybody with one error", async () => {
  const room = new WaitingRoom(new ManualClock(), 1_000);
  const error = new SallyportError("peer_rejected", "wrong certificate");
  const waited = Promise.all([assert.rejects(room.wait(), error), assert.rejects(room.wait(), error)]);
  room.refuseAll(error);
  await waited;
});
