import assert from "node:assert/strict";
import { collect } from "../../../tests/support/mux/collect.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { OPENING, sessionTest } from "../../../tests/support/mux/session_suite.ts";
import { sha256, testBytes } from "../../../tests/support/test_bytes.ts";
import { within } from "../../../tests/support/within.ts";
import { ERROR_CODES } from "../../errors.ts";
import type { StreamMessage } from "../../protocol/messages.ts";

const text = new TextEncoder();

function read(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

sessionTest("carries bytes both ways on one stream (SPEC 4.1)", {}, async ({ open }) => {
  const { near, far } = await open(text.encode("early"));
  const [nearGot, farGot] = [collect(near), collect(far)];
  const up = testBytes(3_000_000, 1);
  const down = testBytes(2_000_000, 2);
  for (let at = 0; at < up.byteLength; at += 60_000) near.write(up.subarray(at, at + 60_000));
  near.end();
  far.write(down);
  far.end();
  const [back, forth] = await within(10_000, Promise.all([nearGot, farGot]), "both ends");
  assert.equal(read(forth.bytes.subarray(0, 5)), "early");
  assert.equal(sha256(forth.bytes.subarray(5)), sha256(up));
  assert.equal(sha256(back.bytes), sha256(down));
  assert.deepEqual([near.bytesOut, near.bytesIn], [3_000_005, 2_000_000]);
  assert.deepEqual([far.bytesOut, far.bytesIn], [2_000_000, 3_000_005]);
});

sessionTest("keeps the bytes of many streams separate (SPEC 4.1)", {}, async ({ open }) => {
  const streams = Array.from({ length: 60 }, async (_, index) => {
    const up = testBytes(1_000 + index * 4_000, index + 1);
    const down = testBytes(200_000 - index * 3_000, index + 100);
    const { near, far } = await open();
    const got = Promise.all([collect(near), collect(far)]);
    for (let at = 0; at < up.byteLength; at += 7_001) near.write(up.subarray(at, at + 7_001));
    near.end();
    far.write(down);
    far.end();
    const [back, forth] = await got;
    assert.equal(sha256(forth.bytes), sha256(up), `up ${index}`);
    assert.equal(sha256(back.bytes), sha256(down), `down ${index}`);
  });
  await within(20_000, Promise.all(streams), "all streams");
});

sessionTest(
  "carries the opening message with its first bytes and its end (SPEC 4.2)",
  {},
  async ({ open }) => {
    const payload = {
      method: "POST",
      host: "::1",
      port: 80,
      path: "/%C3%A9",
      headers: ["A", "\u00ff", "a", "2"],
    };
    const opening = { type: "http_request", payload } as const;
    const options = { end: true, trailers: ["X-Sum", "1"] };
    const { near, far } = await open(text.encode("body"), options, opening);
    assert.deepEqual(far.opening, opening);
    const got = await collect(far);
    assert.equal(read(got.bytes), "body");
    assert.deepEqual(got.trailers, ["X-Sum", "1"]);
    assert.deepEqual(got.messages, []);
    far.send({ type: "http_response", payload: { status: 204, reason: "", headers: [] } });
    far.end();
    assert.equal(await streamEnd(near), undefined);
  },
);

sessionTest("keeps the order of messages and bytes (SPEC 4.2)", {}, async ({ open }) => {
  const payload = { method: "GET", host: "a", port: 80, path: "/", headers: [] };
  const { near, far } = await open(undefined, { end: true }, { type: "http_request", payload });
  const interim: StreamMessage = {
    type: "http_response",
    payload: { status: 103, reason: "", headers: ["L", "x"] },
  };
  const final: StreamMessage = { type: "http_response", payload: { status: 200, reason: "OK", headers: [] } };
  const seen: string[] = [];
  const ended = Promise.withResolvers<void>();
  near.listen({
    message: ({ payload }) => seen.push(`${(payload as { status: number }).status}`),
    data: (bytes) => (seen.push(read(bytes)), near.consumed(bytes.byteLength)),
    end: (trailers) => (seen.push(`${trailers}`), ended.resolve()),
  });
  near.resume();
  const farOver = streamEnd(far);
  far.send(interim);
  far.send(final, text.encode("first"));
  far.write(text.encode("second"));
  far.end(["T", "1"]);
  await within(5_000, ended.promise, "the end");
  assert.deepEqual(seen, ["103", "200", "first", "second", "T,1"]);
  assert.equal(await farOver, undefined);
});

for (const [what, options] of [["with", { end: true }], ["after", {}]] as const) {
  sessionTest(
    `half-closes ${what} the last bytes, the other direction stays open (SPEC 4.2)`,
    {},
    async ({ open }) => {
      const { near, far } = await open(text.encode("question"), options);
      if (what === "after") near.end();
      const nearGot = collect(near);
      assert.equal(read((await within(5_000, collect(far), "the question")).bytes), "question");
      assert.equal(far.over, false);
      far.write(text.encode("long "));
      far.write(text.encode("answer"));
      far.end();
      assert.equal(read((await within(5_000, nearGot, "the answer")).bytes), "long answer");
    },
  );
}

sessionTest("half-closes from the accepter's end first (SPEC 4.1)", {}, async ({ open }) => {
  const { near, far } = await open();
  far.end();
  await within(5_000, collect(near), "the end");
  assert.equal(near.over, false);
  const farGot = collect(far);
  near.write(text.encode("still here"));
  near.end();
  assert.equal(read((await within(5_000, farGot, "the rest")).bytes), "still here");
});

sessionTest("resets a stream with every code (SPEC 4.5, 6)", {}, async ({ open }) => {
  for (const [index, code] of ERROR_CODES.entries()) {
    const { near, far } = await open();
    const [from, to] = index % 2 === 0 ? [near, far] : [far, near];
    const ends = Promise.all([streamEnd(from), streamEnd(to)]);
    from.reset(code, `because of ${code}`);
    for (const error of await ends) {
      assert.equal(error?.code, code);
      assert.equal(error.message, `because of ${code}`);
    }
  }
});

sessionTest(
  "drops the queue of a stream that is reset, and affects no other (SPEC 4.5)",
  {},
  async (pair) => {
    const { near, far } = await pair.open();
    const other = await pair.open();
    const otherGot = collect(other.far);
    const farOver = streamEnd(far);
    for (let i = 0; i < 40; i++) near.write(testBytes(100_000));
    near.end();
    other.near.write(testBytes(500_000, 5));
    other.near.end();
    near.reset("cancelled", "changed my mind");
    assert.equal((await farOver)?.code, "cancelled");
    assert.ok(far.bytesIn < 4_000_000, `${far.bytesIn}`);
    assert.equal(sha256((await within(5_000, otherGot, "the other")).bytes), sha256(testBytes(500_000, 5)));
    other.far.end();
    assert.equal(await streamEnd(other.near), undefined);
  },
);

sessionTest("lets a reader reset a stream while bytes are in flight (SPEC 4.4)", {}, async (pair) => {
  const { near, far } = await pair.open();
  const nearOver = streamEnd(near);
  const first = Promise.withResolvers<void>();
  far.listen({ data: () => first.resolve() });
  far.resume();
  for (let i = 0; i < 40; i++) near.write(testBytes(100_000));
  await within(5_000, first.promise, "the first bytes");
  far.reset("target_reset", "gone");
  assert.equal((await nearOver)?.code, "target_reset");
  const next = await pair.open(text.encode("fine"), { end: true });
  assert.equal(read((await collect(next.far)).bytes), "fine");
  next.far.end();
  assert.equal(await streamEnd(next.near), undefined);
});

sessionTest("drops a stream that is reset before it was sent, and continues (SPEC 4.4)", {}, async (pair) => {
  const gone = pair.opener.session.open(OPENING, text.encode("never sent"));
  gone.reset("cancelled", "changed my mind");
  assert.equal(pair.opener.session.streamCount, 0);
  const { near, far } = await pair.open(text.encode("sent"), { end: true });
  assert.equal(near.id, gone.id, "an id that the peer never saw is used again (SPEC 4.1)");
  assert.equal(read((await within(5_000, collect(far), "the next stream")).bytes), "sent");
  far.end();
  assert.equal(await streamEnd(near), undefined);
});

sessionTest("lets both ends reset the same stream at once (SPEC 4.5)", {}, async ({ open }) => {
  const { near, far } = await open();
  near.reset("cancelled", "near");
  far.reset("internal", "far");
  assert.equal((await streamEnd(near))?.code, "cancelled");
  assert.equal((await streamEnd(far))?.code, "internal");
});

sessionTest("lets a listener reset a stream as soon as it arrives", {}, async ({ opener, accepter }) => {
  const arrived = accepter.nextStream().then((stream) => stream.reset("target_denied", "no"));
  const near = opener.session.open(OPENING, testBytes(200_000));
  assert.equal((await streamEnd(near))?.code, "target_denied");
  await arrived;
});

sessionTest("refuses to open what the peer would refuse, and continues", {}, async ({ opener, open }) => {
  const bad = { type: "connect_request", payload: { host: "x".repeat(256), port: 1 } } as const;
  assert.throws(() => opener.session.open(bad), { code: "bad_request" });
  const { near, far } = await open();
  const ends = Promise.all([streamEnd(near), streamEnd(far)]);
  far.end(["a", "x".repeat(262_144)]);
  assert.deepEqual((await ends).map((error) => error?.code), ["bad_request", "bad_request"]);
});

sessionTest("lets both ends open streams at once", {}, async ({ opener, accepter, open }) => {
  const back = accepter.session.open(OPENING, text.encode("other way"), { end: true });
  const { near, far } = await open(text.encode("this way"), { end: true });
  const backFar = await opener.nextStream();
  assert.notEqual(near.id % 2, back.id % 2);
  for (const [stream, expected] of [[far, "this way"], [backFar, "other way"]] as const) {
    assert.equal(read((await within(5_000, collect(stream), expected)).bytes), expected);
    stream.end();
  }
  assert.deepEqual(await Promise.all([streamEnd(near), streamEnd(back)]), [undefined, undefined]);
});
