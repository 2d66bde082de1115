import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { WaitingStreams } from "./waiting_streams.ts";

Deno.test("waiting streams continue all at once", async () => {
  const waiting = new WaitingStreams(new ManualClock(), 1_000);
  const all = Promise.all([waiting.wait(), waiting.wait()]);
  assert.equal(waiting.size, 2);
  waiting.resumeAll();
  await all;
  assert.equal(waiting.size, 0);
});

Deno.test("a stream that waited too long is refused with the last error", async () => {
  const clock = new ManualClock();
  const waiting = new WaitingStreams(clock, 10_000);
  const waited = assert.rejects(waiting.wait(), (error: unknown) => {
    assert.ok(error instanceof SallyportError);
    assert.equal(error.code, "tunnel_down");
    assert.match(error.message, /within 10 s: the port is closed/);
    return true;
  });
  waiting.note(new SallyportError("tunnel_down", "the port is closed"));
  clock.advance(9_999);
  assert.equal(waiting.size, 1);
  clock.advance(1);
  assert.equal(waiting.size, 0);
  await waited;
});

Deno.test("waiting streams are refused with one error", async () => {
  const waiting = new WaitingStreams(new ManualClock(), 1_000);
  const error = new SallyportError("peer_rejected", "wrong certificate");
  const waited = Promise.all([assert.rejects(waiting.wait(), error), assert.rejects(waiting.wait(), error)]);
  waiting.refuseAll(error);
  await waited;
});
