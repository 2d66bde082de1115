import assert from "node:assert/strict";
import { SallyportError } from "../../../shared/errors.ts";
import { answer } from "../../../tests/support/clients/answer.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { withFrontDoor } from "../../../tests/support/clients/front_door.ts";

const GET = "GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n";

Deno.test("error before the response is a page, and the connection stays open", () =>
  withFrontDoor({}, async ({ client, nextStream, refused }) => {
    const near = client();
    near.send("POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\n");
    const far = await nextStream();
    const error = { code: "dns_error", message: "Cannot resolve a.test" };
    far.stream.send({ type: "http_response", payload: { error } }, undefined, { end: true });
    assert.match(await near.readTo("What to do"), /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    await near.readTo("this machine\n");
    near.send(`abc${GET}`);
    const next = await nextStream();
    next.stream.reset("target_timeout", "too slow");
    assert.match(
      await near.readTo("\r\n\r\n"),
      /^HTTP\/1\.1 504 Gateway Timeout\r\n[^]*error=connection_timeout/,
    );
    assert.deepEqual(refused.map(({ error }) => error.code), ["dns_error", "target_timeout"]);
  }));

Deno.test("request without a tunnel gets 503", () => {
  const openStream = () => Promise.reject(new SallyportError("tunnel_down", "no connection"));
  return withFrontDoor({ openStream, retryAfterMs: () => 3_000 }, async ({ client }) => {
    const near = client();
    near.send(GET);
    const head = await near.readTo("\r\n\r\n");
    assert.match(head, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
    assert.match(head, /\r\nRetry-After: 3\r\n/);
    assert.match(head, /\r\nConnection: keep-alive\r\n/);
  });
});

Deno.test("client that keeps sending an unwanted body is closed 5 s after its response", () => {
  const clock = new ManualClock();
  const openStream = () => Promise.reject(new SallyportError("tunnel_down", "no connection"));
  return withFrontDoor({ openStream, clock }, async ({ client }) => {
    const near = client();
    near.send(
      "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    );
    await near.readTo("What to do");
    clock.advance(4_999);
    near.send("3\r\ndef\r\n");
    assert.equal(near.outcome, undefined);
    clock.advance(1);
    await near.rest();
    const patient = client();
    patient.send("POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\n");
    await patient.readTo("What to do");
    patient.send(`abc${GET}`);
    await patient.readTo("What to do");
    clock.advance(5_000);
    patient.send(GET);
    await patient.readTo("What to do");
  });
});

Deno.test("requests that are not proxy requests get a page that says so", () =>
  withFrontDoor({}, async ({ client }) => {
    const cases: [string, RegExp][] = [
      ["/", /^HTTP\/1\.1 400 Bad Request\r\n[^]*this is a proxy/],
      ["https://a.test/", /^HTTP\/1\.1 501 Not Implemented\r\n[^]*CONNECT/],
      ["http://user:secret@a.test/", /^HTTP\/1\.1 400 Bad Request\r\n(?![^]*secret)/],
    ];
    for (const [target, expected] of cases) {
      const near = client();
      near.send(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const page = await near.rest();
      assert.match(page, expected);
      assert.match(page, /Correct the request\n$/);
      near.end();
    }
  }));

Deno.test("request with a transfer coding other than chunked gets 501", () =>
  withFrontDoor({}, async ({ client, refused }) => {
    const near = client();
    const head =
      "POST http://a.test/?token=secret HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked";
    near.send(`${head}\r\n\r\n3\r\nabc\r\n0\r\n\r\n`);
    assert.match(await near.readTo("\r\n\r\n"), /^HTTP\/1\.1 501 Not Implemented\r\n/);
    assert.deepEqual(refused.map(({ target }) => target), ["http://a.test/"], "the query is not logged");
  }));

for (const how of ["end", "reset"] as const) {
  Deno.test(`client that goes away resets its stream at every stage (${how})`, () =>
    withFrontDoor({}, async ({ client, nextStream, settled }) => {
      const body = "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nhalf";
      const [waiting, sending, reading] = [client(), client(), client()];
      waiting.send(GET);
      const waited = await nextStream();
      sending.send(body);
      const sent = await nextStream();
      await sent.read(4);
      reading.send(GET);
      const read = await nextStream();
      answer(read, 200, ["Content-Length", "9"]);
      read.write("half");
      await reading.readTo("half");
      for (const [near, far] of [[waiting, waited], [sending, sent], [reading, read]] as const) {
        await near.close(how);
        assert.equal((await far.over())?.code, "cancelled");
      }
      await settled();
    }));
}
