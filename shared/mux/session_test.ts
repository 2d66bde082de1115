import assert from "node:assert/strict";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { sessionPair } from "../../tests/support/session_pair.ts";
import { within } from "../../tests/support/within.ts";
import { collect } from "../../tests/support/collect.ts";

const opening = { type: "connect_request", payload: { host: "example.org", port: 443 } } as const;

Deno.test("session carries bytes both ways and ends clean", async () => {
  const { dialer, listener } = await sessionPair(MemoryTransport.pair());
  const near = dialer.session.open(opening, new TextEncoder().encode("early"));
  const far = await listener.nextStream();
  assert.deepEqual(far.opening, opening);
  const big = crypto.getRandomValues(new Uint8Array(60_000));
  const nearGot = collect(near);
  const farGot = collect(far);
  for (let i = 0; i < 50; i++) near.write(big);
  near.end();
  const got = await within(5_000, farGot, "far end");
  assert.equal(got.bytes.byteLength, 5 + 50 * 60_000);
  far.send({ type: "connect_ack", payload: {} }, new TextEncoder().encode("answer"));
  far.end(["x", "y"]);
  const back = await within(5_000, nearGot, "near end");
  assert.equal(new TextDecoder().decode(back.bytes), "answer");
  assert.deepEqual(back.trailers, ["x", "y"]);
  assert.deepEqual(back.messages, [{ type: "connect_ack", payload: {} }]);
  assert.equal(dialer.session.streamCount, 0);
  dialer.session.drain();
  assert.equal(await within(5_000, dialer.closed, "closed"), undefined);
  assert.equal(await within(5_000, listener.closed, "closed"), undefined);
});
