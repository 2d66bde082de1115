import assert from "node:assert/strict";
import { assertEnds, rawTest } from "../../../tests/support/mux/session_suite.ts";
import { within } from "../../../tests/support/within.ts";

const target = { host: "a", port: 1 };

rawTest(
  "ends with protocol_violation after anything before hello (SPEC 3.1)",
  { greet: false },
  async (pair) => {
    pair.peer.send("connect_request", { stream: pair.peerId(0), ...target });
    await assertEnds(pair, "protocol_violation", /connect_request came before hello/);
  },
);

rawTest("ends with protocol_violation after an unknown type before hello (SPEC 3.1)", {
  greet: false,
}, async (pair) => {
  pair.peer.send("later", {});
  await assertEnds(pair, "protocol_violation", /later came before hello/);
});

rawTest(
  "ends with version_unsupported after a hello of another version (SPEC 3.1)",
  { greet: false },
  async (pair) => {
    pair.peer.hello({ version: 3 });
    await assertEnds(pair, "version_unsupported", /version 3: this end speaks 2$/);
  },
);

rawTest("ends with version_unsupported whatever else that hello contains (SPEC 3.1)", {
  greet: false,
}, async (pair) => {
  pair.peer.send("hello", { version: 9, flavour: "lime" });
  await assertEnds(pair, "version_unsupported");
});

rawTest("accepts a goaway before hello (SPEC 3.4)", { greet: false }, async ({ end, peer }) => {
  peer.send("goaway", { code: "version_unsupported", message: "no", last_stream: 0 });
  assert.equal((await within(5_000, end.closed, "the end"))?.code, "version_unsupported");
});

rawTest(
  "waits 10 s for hello, even if some bytes arrive (SPEC 3.1)",
  { greet: false },
  async ({ end, peer, clock, received }) => {
    // The first bytes of a frame show that the path is alive, but are no message.
    for (const count of [1, 2, 3]) {
      clock.advance(3_000);
      peer.sendBytes([0]);
      await received(count);
    }
    assert.equal(end.session.state, "greeting");
    clock.advance(1_000);
    const goaway = await peer.next("goaway");
    assert.equal(goaway.payload.code, "protocol_violation");
    assert.match(goaway.payload.message, /no hello within 10000 ms/);
    assert.equal((await within(5_000, end.closed, "the end"))?.code, "protocol_violation");
  },
);

rawTest("sends hello first, however late the peer's is (SPEC 3.1)", { greet: false }, async (pair) => {
  pair.clock.advance(8_500);
  pair.peer.hello();
  await pair.peer.settled();
  assert.equal(pair.peer.frames[0]?.type, "hello");
});

rawTest("ends when the peer sends nothing", { greet: false }, async ({ end, clock }) => {
  clock.advance(10_000);
  assert.ok(await within(5_000, end.closed, "the end"));
});
