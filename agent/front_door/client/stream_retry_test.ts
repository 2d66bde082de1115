import assert from "node:assert/strict";
import { answer } from "../../../tests/support/clients/answer.ts";
import { FarStream } from "../../../tests/support/mux/far_stream.ts";
import { withFrontDoor } from "../../../tests/support/clients/front_door.ts";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import { sessionPair } from "../../../tests/support/mux/session_pair.ts";
import { within } from "../../../tests/support/within.ts";
import type { OpenStream } from "./open_stream.ts";
import { shouldRetry } from "./stream_retry.ts";

Deno.test("shouldRetry allows only a replayable request that the server never looked at and the client waits for", () => {
  for (const unprocessed of [true, false]) {
    for (const isWaiting of [true, false]) {
      for (const isReplayable of [true, false]) {
        const expected = unprocessed && isWaiting && isReplayable;
        assert.equal(shouldRetry({ unprocessed }, { isWaiting, isReplayable }), expected);
      }
    }
  }
});

/** Runs `test` with an `openStream` whose first stream reaches a server that is shutting down. */
async function withDrainingServer(
  test: (openStream: OpenStream, nextStream: () => Promise<FarStream>) => Promise<void>,
): Promise<void> {
  const draining = await sessionPair(MemoryTransport.pair(), { dialer: {}, listener: {} });
  const next = await sessionPair(MemoryTransport.pair(), { dialer: {}, listener: {} });
  let opened = 0;
  const openStream: OpenStream = (opening, first) => {
    const { session } = opened++ === 0 ? draining.dialer : next.dialer;
    // The goaway is on its way when the stream is opened.
    if (opened === 1) draining.listener.session.drain();
    return Promise.try(() => session.open(opening, first?.bytes, first));
  };
  await test(openStream, async () => new FarStream(await next.listener.nextStream()));
  next.dialer.session.close("going_away", "the test is over");
  draining.dialer.session.close("going_away", "the test is over");
  const all = [draining.dialer, draining.listener, next.dialer, next.listener].map(({ closed }) => closed);
  await within(5_000, Promise.all(all), "the sessions close");
}

Deno.test("request that a draining server never looked at is sent again (SPEC 3.4)", () =>
  withDrainingServer((openStream, nextStream) =>
    withFrontDoor({ openStream }, async ({ client, refused }) => {
      const near = client();
      near.send("GET http://a.test/x HTTP/1.1\r\n\r\n");
      answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
      assert.match(await near.readTo("\r\n\r\nok"), /^HTTP\/1\.1 200 /);
      assert.deepEqual(refused, []);
    })
  ));

Deno.test("CONNECT that a draining server never looked at is sent again with its first bytes (SPEC 3.4)", () =>
  withDrainingServer((openStream, nextStream) =>
    withFrontDoor({ openStream }, async ({ client, refused }) => {
      const near = client();
      near.send("CONNECT a.test:443 HTTP/1.1\r\n\r\nearly");
      const far = await nextStream();
      assert.equal(await far.read(5), "early");
      far.stream.send({ type: "connect_ack", payload: {} });
      assert.match(await near.readTo("\r\n\r\n"), /^HTTP\/1\.1 200 /);
      far.stream.reset("target_reset", "enough");
      await near.rest();
      assert.deepEqual(refused, []);
    })
  ));

Deno.test("request with a body is not sent again", () =>
  withDrainingServer((openStream) =>
    withFrontDoor({ openStream }, async ({ client }) => {
      const near = client();
      near.send("POST http://a.test/x HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
      assert.match(await near.readTo("What to do"), /^HTTP\/1\.1 503 [^]*going_away/);
    })
  ));
