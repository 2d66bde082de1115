import assert from "node:assert/strict";
import { systemClock } from "../../shared/system_clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { StreamMessage } from "../../shared/protocol/messages.ts";
import { withFrontDoor } from "../../tests/support/clients/front_door.ts";
import { within } from "../../tests/support/within.ts";
import { openFrontDoor } from "./front_door.ts";

const GET = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";
const OK: StreamMessage = {
  type: "http_response",
  payload: { status: 200, reason: "OK", headers: ["Content-Length", "2"] },
};
const HI = new TextEncoder().encode("hi");

Deno.test("front door serves HTTP and SOCKS5 side by side on one port", () =>
  withFrontDoor({}, async ({ client, nextStream, frontDoor }) => {
    const [http, socks] = [client(), client()];
    http.send(GET);
    (await nextStream()).stream.send(OK, HI, { end: true });
    await http.readTo("hi");
    socks.send("\x05\x01\x00");
    assert.equal(await socks.read(2), "\x05\x00");
    assert.equal(frontDoor.connectionCount, 2);
  }));

Deno.test("front door reports a port in use", () =>
  withFrontDoor({}, async ({ frontDoor }) => {
    const { port } = frontDoor.address;
    const again = openFrontDoor({
      host: "127.0.0.1",
      port,
      openStream: () => Promise.reject(new Error("must not be called")),
      clock: systemClock,
      log: { debug() {}, info() {}, warn() {} },
    });
    await assert.rejects(again, (error) => {
      assert.ok(error instanceof SallyportError);
      assert.match(error.message, new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: .*in use`));
      return true;
    });
  }));

Deno.test("front door closes a connection that sends nothing", () =>
  withFrontDoor({ firstByteTimeoutMs: 20 }, async ({ client, settled }) => {
    const near = client();
    assert.equal(await near.rest(), "");
    await settled();
  }));

Deno.test("front door closes a connection that ends before its first byte", () =>
  withFrontDoor({}, async ({ client, settled }) => {
    const near = client();
    near.end();
    assert.equal(await near.rest(), "");
    await settled();
  }));

Deno.test("front door answers 408 to a head that takes too long", () =>
  withFrontDoor({ headTimeoutMs: 30 }, async ({ client }) => {
    const near = client();
    near.send("GET http://a.test/ HTTP/1.1\r\nHost");
    assert.match(await near.rest(), /^HTTP\/1\.1 408 Request Timeout\r\n/);
    near.end();
  }));

Deno.test("front door closes an idle keep-alive connection without a response", () =>
  withFrontDoor({ keepAliveTimeoutMs: 30 }, async ({ client, nextStream }) => {
    const near = client();
    near.send(GET);
    (await nextStream()).stream.send(OK, HI, { end: true });
    await near.readTo("hi");
    assert.equal(await near.rest(), "");
  }));

Deno.test("front door limits the time for later heads too", () =>
  withFrontDoor({ keepAliveTimeoutMs: 30, headTimeoutMs: 30 }, async ({ client, nextStream }) => {
    const near = client();
    near.send(GET);
    (await nextStream()).stream.send(OK, HI, { end: true });
    await near.readTo("hi");
    near.send("GET http");
    assert.match(await near.rest(), /^HTTP\/1\.1 408 Request Timeout\r\n/);
    near.end();
  }));

Deno.test("front door answers 431 to a head that is too large", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const fits = client();
    fits.send(GET.replace("Host", `X: ${"x".repeat(60_000)}\r\nHost`));
    (await nextStream()).stream.send(OK, HI, { end: true });
    await fits.readTo("hi");
    const near = client();
    near.send(GET.replace("Host", `X: ${"x".repeat(70_000)}\r\nHost`));
    assert.match(await near.rest(), /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    near.end();
  }));

Deno.test("front door answers 400 to what is neither HTTP nor SOCKS5", () =>
  withFrontDoor({}, async ({ client }) => {
    for (
      const bytes of [
        "\x16\x03\x01\x02\x00\x01\x00",
        "\x04\x01\x00\x50\x01\x02\x03\x04\x00",
        "nonsense\r\n\r\n",
      ]
    ) {
      const near = client();
      near.send(bytes);
      assert.match(await near.rest(), /^HTTP\/1\.1 400 Bad Request\r\n[^]*not valid HTTP/);
      near.end();
    }
  }));

Deno.test("front door ignores what follows on a connection that it refused", () =>
  withFrontDoor({ headTimeoutMs: 30 }, async ({ client, nextStream, settled }) => {
    const [slow, broken, large] = [client(), client(), client()];
    broken.send("nonsense\r\n\r\n");
    large.send(`GET http://a.test/ HTTP/1.1\r\nX: ${"x".repeat(70_000)}`);
    slow.send("GET http://a.test/ HTTP/1.1\r\nHost");
    for (const near of [slow, broken, large]) {
      assert.match(await near.rest(), /^HTTP\/1\.1 4/);
      near.send(`: a.test\r\n\r\n${GET}\x00\x01`);
      near.end();
    }
    await settled();
    const near = client();
    near.send(GET);
    (await nextStream()).stream.send(OK, HI, { end: true });
    await near.readTo("hi");
  }));

Deno.test("drain closes idle connections, lets requests finish and accepts no new ones", () =>
  withFrontDoor({}, async ({ client, nextStream, frontDoor }) => {
    const [idle, silent, busy] = [client(), client(), client()];
    idle.send(GET);
    (await nextStream()).stream.send(OK, HI, { end: true });
    await idle.readTo("hi");
    busy.send(GET);
    const far = await nextStream();
    const drained = frontDoor.drain(5_000);
    assert.equal(await idle.rest(), "");
    assert.equal(await silent.rest(), "");
    const late = client();
    await late.rest();
    assert.equal(late.outcome, "reset");
    far.stream.send(OK, HI, { end: true });
    assert.match(await busy.rest(), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhi$/);
    busy.end();
    await within(5_000, drained, "drained");
    assert.equal(frontDoor.connectionCount, 0);
  }));

Deno.test("drain closes what is still open after its timeout", () =>
  withFrontDoor({}, async ({ client, nextStream, frontDoor }) => {
    const near = client();
    near.send("CONNECT a.test:443 HTTP/1.1\r\n\r\n");
    const far = await nextStream();
    far.stream.send({ type: "connect_ack", payload: {} });
    await near.readTo("\r\n\r\n");
    await within(5_000, frontDoor.drain(20), "drained");
    assert.equal(frontDoor.connectionCount, 0);
    assert.equal((await far.over())?.code, "cancelled");
  }));
