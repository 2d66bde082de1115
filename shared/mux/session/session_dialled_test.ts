import assert from "node:assert/strict";
import { SallyportError } from "../../errors.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import { sessionPair } from "../../../tests/support/mux/session_pair.ts";
import { within } from "../../../tests/support/within.ts";
import { Session } from "./session.ts";

Deno.test("a closed session takes no further connection, and its end waits for none", async () => {
  const { dialer, listener } = await sessionPair(MemoryTransport.pair());
  dialer.session.close("going_away", "done");
  const [near, far] = MemoryTransport.pair();
  const aborted = Promise.withResolvers<void>();
  far.start({ data() {}, closed: () => aborted.resolve() });
  assert.throws(() => dialer.session.dialled(near), { code: "tunnel_down" });
  await within(5_000, aborted.promise, "the connection is closed");
  await within(5_000, Promise.all([dialer.closed, listener.closed]), "both sessions end");
});

Deno.test("a dialled connection reports the peer's hello, or why it ended before", async () => {
  const { dialer, listener } = await sessionPair(MemoryTransport.pair());
  const [near, far] = MemoryTransport.pair();
  const ended = Promise.withResolvers<unknown>();
  dialer.session.dialled(near, { opened: () => ended.reject("opened"), closed: ended.resolve });
  far.abort();
  assert.ok(await within(5_000, ended.promise, "its end") instanceof SallyportError);
  assert.equal(dialer.session.state, "open");
  dialer.session.close("going_away", "done");
  await within(5_000, Promise.all([dialer.closed, listener.closed]), "both sessions end");
});

Deno.test("a session says before the peer's hello that it is not open yet", async () => {
  const closed = Promise.withResolvers<unknown>();
  const events = { closed: closed.resolve, consumerError: closed.reject };
  const session = new Session({ role: "dialer", key: "0".repeat(32), clock: new ManualClock(), events });
  session.dialled(MemoryTransport.pair()[0]);
  assert.throws(() => session.open({ type: "connect_request", payload: { host: "a", port: 1 } }), {
    code: "tunnel_down",
    message: "Cannot open a stream: the session is not open yet",
  });
  await assert.rejects(session.ping(), { code: "tunnel_down", message: /the session has no connection$/ });
  session.close("going_away", "done");
  await within(5_000, closed.promise, "its end");
});
