import assert from "node:assert/strict";
import type { OpeningMessage } from "../../shared/protocol/messages.ts";
import { collect } from "../../tests/support/mux/collect.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { streamPairs } from "../../tests/support/mux/stream_pair.ts";
import { streamEnd } from "../../tests/support/mux/stream_end.ts";
import { within } from "../../tests/support/within.ts";
import type { MuxStream } from "../../shared/mux/stream/stream.ts";
import type { TransferResult } from "../../shared/egress/accounting.ts";
import { isSpeedTest, SpeedTest } from "./speed.ts";

function request(path: string, method = "GET", host = "speed.sallyport.invalid"): OpeningMessage {
  return { type: "http_request", payload: { method, host, port: 80, path, headers: [] } };
}

async function served(
  opening: OpeningMessage,
  body: (near: MuxStream, clock: ManualClock, result: Promise<TransferResult>) => Promise<void>,
): Promise<void> {
  const clock = new ManualClock();
  const done = Promise.withResolvers<TransferResult>();
  const pairs = await streamPairs();
  const { near, far } = await pairs.open(opening, undefined, { end: true });
  new SpeedTest().serve(far, "a", { clock, onDone: done.resolve });
  await body(near, clock, within(5_000, done.promise, "the result"));
  await pairs.close();
}

Deno.test("the speed test sends as many bytes as the agent requests (SPEC 4.7)", () =>
  served(request("/down?bytes=3000001"), async (near, _, result) => {
    const { bytes, messages } = await within(5_000, collect(near), "the body");
    assert.equal(bytes.byteLength, 3_000_001);
    assert.equal(messages[0]?.type === "http_response" && messages[0].payload.status, 200);
    const { target, status, bytesOut, code } = await result;
    assert.deepEqual([target, status, bytesOut, code], [
      "speed.sallyport.invalid:80",
      200,
      3_000_001,
      undefined,
    ]);
  }));

for (
  const path of ["/", "/down", "/down?bytes=16777217", "/down?bytes=-1", "/down?bytes=1e6", "/up?bytes=1"]
) {
  Deno.test(`the speed test sends nothing for ${path} (SPEC 4.7)`, () =>
    served(request(path), async (near) => {
      const { bytes, messages } = await within(5_000, collect(near), "the body");
      assert.equal(messages[0]?.type === "http_response" && messages[0].payload.status, 404);
      assert.equal(bytes.byteLength, 0);
    }));
}

Deno.test("a speed test whose agent reads nothing is abandoned", () =>
  served(request("/down?bytes=16777216"), async (near, clock, result) => {
    const ended = within(5_000, streamEnd(near), "the end");
    clock.advance(60_000);
    assert.equal((await ended)?.code, "idle_timeout");
    assert.equal((await result).code, "idle_timeout");
  }));

Deno.test("a client has at most 8 concurrent speed tests, gets the reason, and others have some too", async () => {
  const speed = new SpeedTest();
  const pairs = await streamPairs();
  const context = { clock: new ManualClock(), onDone() {} };
  const open = async (client = "greedy") => {
    const { near, far } = await pairs.open(request("/down?bytes=16777216"), undefined, { end: true });
    speed.serve(far, client, context);
    return near;
  };
  const measuring = [];
  for (let i = 0; i < 8; i++) measuring.push(await open());
  const { messages } = await within(5_000, collect(await open()), "the refusal");
  assert.equal(messages[0]?.type === "http_response" && messages[0].payload.error?.code, "limit_reached");
  assert.equal((await served200(speed, "honest")).messages.length, 1);
  for (const near of measuring) near.reset("cancelled", "enough");
  await pairs.close();
  assert.equal((await served200(speed, "greedy")).messages.length, 1);
});

Deno.test("a refused speed test ends even if the agent keeps its side open", async () => {
  const speed = new SpeedTest();
  const pairs = await streamPairs();
  const clock = new ManualClock();
  const results: TransferResult[] = [];
  const context = { clock, onDone: (result: TransferResult) => void results.push(result) };
  const open = async () => {
    const { near, far } = await pairs.open(request("/down?bytes=16777216"));
    speed.serve(far, "greedy", context);
    return { near, far };
  };
  const measuring = [];
  for (let i = 0; i < 8; i++) measuring.push(await open());
  const { near, far } = await open();
  const ended = within(5_000, streamEnd(near), "the end");
  clock.advance(9_999);
  assert.equal(far.over, false, "it has a while to end its side");
  clock.advance(1);
  assert.equal((await ended)?.code, "limit_reached");
  assert.deepEqual(results.map(({ code }) => code), ["limit_reached"]);
  for (const { near } of measuring) near.reset("cancelled", "enough");
  await pairs.close();
});

/** A client measures and is served. */
async function served200(speed: SpeedTest, client: string) {
  const pairs = await streamPairs();
  const { near, far } = await pairs.open(request("/down?bytes=1"), undefined, { end: true });
  speed.serve(far, client, { clock: new ManualClock(), onDone() {} });
  const collected = await within(5_000, collect(near), "the body");
  assert.equal(collected.bytes.byteLength, 1);
  await pairs.close();
  return collected;
}

Deno.test("only requests for exactly that name are speed tests", () => {
  assert.equal(isSpeedTest(request("/", "POST", "Speed.Sallyport.Invalid")), true);
  assert.equal(isSpeedTest(request("/", "GET", "speed.sallyport.invalid.example")), false);
  const payload = { host: "speed.sallyport.invalid", port: 80 };
  assert.equal(isSpeedTest({ type: "connect_request", payload }), false);
});
