/** How a dialer's session takes what happens to its further links (SPEC.md 3.4, 3.6, 3.7). */
import assert from "node:assert/strict";
import { DialerBench } from "../../../tests/support/mux/dialer_bench.ts";
import { OPENING } from "../../../tests/support/mux/session_suite.ts";
import { eventually } from "../../../tests/support/eventually.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { within } from "../../../tests/support/within.ts";

for (const code of ["session_unknown", "peer_rejected", "version_unsupported"] as const) {
  Deno.test(`session ends when a link to join it is refused with ${code} (SPEC 3.4)`, async () => {
    const dialer = await new DialerBench().begin();
    const stream = dialer.session.open(OPENING);
    const ended = streamEnd(stream);
    await dialer.first.next("connect_request");
    dialer.first.abort();
    await eventually("the session waits", () => assert.equal(dialer.session.linkCounts.open, 0));
    const second = await dialer.dial();
    second.send("goaway", { code, last_stream: 0 });
    assert.equal((await ended)?.code, code);
    assert.equal(await dialer.over(), code);
  });
}

Deno.test("session goes on when a further link is refused with limit_reached (SPEC 3.4)", async () => {
  const dialer = await new DialerBench().begin();
  const second = await dialer.dial();
  second.send("goaway", { code: "limit_reached", last_stream: 0 });
  await within(5_000, second.closed, "the link closes");
  await dialer.first.settled();
  assert.deepEqual([dialer.session.state, dialer.session.linkCounts.open], ["open", 1]);
  dialer.session.close("going_away", "done");
  assert.equal(await dialer.over(), "going_away");
});

Deno.test("session refuses a further link that does not begin with hello, and goes on (SPEC 3.1)", async () => {
  const dialer = await new DialerBench().begin();
  const second = await dialer.dial();
  second.send("ping", { nonce: 1 });
  assert.equal((await second.next("goaway")).payload.code, "protocol_violation");
  await within(5_000, second.closed, "the link closes");
  assert.deepEqual([dialer.session.state, dialer.session.linkCounts.open], ["open", 1]);
  dialer.session.close("going_away", "done");
  assert.equal(await dialer.over(), "going_away");
});

Deno.test("session that drained ends in order, though a late link finds it unknown (SPEC 3.4)", async () => {
  const dialer = await new DialerBench().begin();
  dialer.first.send("goaway", { code: "going_away", last_stream: 0 });
  await within(5_000, dialer.end.draining, "the goaway");
  const second = await dialer.dial();
  second.send("goaway", { code: "session_unknown", last_stream: 0 });
  dialer.first.close();
  assert.equal(await dialer.over(), undefined);
});

Deno.test("session sends again by a new link what a lost one did not deliver (SPEC 3.7)", async () => {
  const dialer = await new DialerBench().begin();
  const stream = dialer.session.open(OPENING, new Uint8Array([1, 2, 3]));
  const opened = await dialer.first.next("connect_request");
  dialer.first.abort();
  await within(5_000, dialer.first.closed, "the loss of the link");
  assert.deepEqual([dialer.session.state, dialer.session.linkCounts.open], ["open", 0]);
  assert.equal(dialer.session.capacity, 0);
  stream.write(new Uint8Array([4]));
  const second = await dialer.dial();
  second.hello({ session: undefined });
  assert.deepEqual(await second.next("connect_request"), opened);
  const { payload, body } = await second.next("connect_data");
  assert.deepEqual([payload.n, body], [1, [4]]);
  const ended = streamEnd(stream);
  second.send("reset", { stream: stream.id, code: "cancelled" });
  assert.equal((await ended)?.code, "cancelled");
  dialer.session.close("going_away", "done");
  assert.equal(await dialer.over(), "going_away");
});

Deno.test("session with streams ends when no link comes within the resume timeout (SPEC 3.7)", async () => {
  const dialer = await new DialerBench().begin();
  const ended = streamEnd(dialer.session.open(OPENING));
  await dialer.first.next("connect_request");
  dialer.first.abort();
  await within(5_000, dialer.first.closed, "the loss of the link");
  dialer.clock.advance(59_999);
  assert.equal(dialer.session.state, "open");
  dialer.clock.advance(1);
  assert.equal((await ended)?.code, "tunnel_down");
  assert.equal(await dialer.over(), "tunnel_down");
});

Deno.test("session without streams does not wait for a link (SPEC 3.7)", async () => {
  const dialer = await new DialerBench().begin();
  dialer.first.abort();
  assert.equal(await dialer.over(), "tunnel_down");
});
