import assert from "node:assert/strict";
import { answer } from "../../tests/support/answer.ts";
import { FarStream } from "../../tests/support/far_stream.ts";
import { withFrontDoor } from "../../tests/support/front_door.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { sessionPair } from "../../tests/support/session_pair.ts";
import { within } from "../../tests/support/within.ts";
import type { OpenStream } from "./open_stream.ts";

/** Runs `test` with a way to open streams of which the first one reaches a server that is leaving. */
async function withLeavingServer(
  test: (openStream: OpenStream, nextStream: () => Promise<FarStream>) => Promise<void>,
): Promise<void> {
  const leaving = await sessionPair(MemoryTransport.pair(), { dialer: {}, listener: {} });
  const next = await sessionPair(MemoryTransport.pair(), { dialer: {}, listener: {} });
  let opened = 0;
  const openStream: OpenStream = (opening, first) => {
    const { session } = opened++ === 0 ? leaving.dialer : next.dialer;
    // Its word is under way when the stream is opened.
    if (opened === 1) leaving.listener.session.drain();
    return Promise.try(() => session.open(opening, first?.bytes, first));
  };
  await test(openStream, async () => new FarStream(await next.listener.nextStream()));
  next.dialer.session.close("going_away", "the test is over");
  leaving.dialer.session.close("going_away", "the test is over");
  const all = [leaving.dialer, leaving.listener, next.dialer, next.listener].map(({ closed }) => closed);
  await within(5_000, Promise.all(all), "the sessions close");
}

Deno.test("a request that a leaving server never looked at is sent again (SPEC 3.4)", () =>
  withLeavingServer((openStream, nextStream) =>
    withFrontDoor({ openStream }, async ({ client, refused }) => {
      const near = client();
      near.send("GET http://a.test/x HTTP/1.1\r\n\r\n");
      answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
      assert.match(await near.readTo("\r\n\r\nok"), /^HTTP\/1\.1 200 /);
      assert.deepEqual(refused, []);
    })
  ));

Deno.test("a tunnel that a leaving server never looked at is asked for again, with its first bytes (SPEC 3.4)", () =>
  withLeavingServer((openStream, nextStream) =>
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

Deno.test("a request whose body is under way is not sent again to another server", () =>
  withLeavingServer((openStream) =>
    withFrontDoor({ openStream }, async ({ client }) => {
      const near = client();
      near.send("POST http://a.test/x HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
      assert.match(await near.readTo("What to do"), /^HTTP\/1\.1 503 [^]*going_away/);
    })
  ));
