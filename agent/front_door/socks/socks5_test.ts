import assert from "node:assert/strict";
import { SallyportError } from "../../../shared/errors.ts";
import type { RawClient } from "../../../tests/support/clients/raw_client.ts";
import { assertEndsInOrder, withFrontDoor } from "../../../tests/support/clients/front_door.ts";
import { socks5ReplyFor } from "./socks5.ts";

const GREETING = "\x05\x01\x00";
const CONNECT = "\x05\x01\x00\x03\x06a.test\x01\xbb";
const CHOSEN = "\x05\x00";
const ACK = { type: "connect_ack", payload: {} } as const;
const reply = (code: number) => `\x05${String.fromCharCode(code)}\x00\x01\x00\x00\x00\x00\x00\x00`;

async function greet(near: RawClient): Promise<void> {
  near.send(GREETING);
  assert.equal(await near.read(2), CHOSEN);
}

Deno.test("SOCKS5 connects and carries bytes both ways", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    await greet(near);
    near.send(CONNECT);
    const far = await nextStream();
    assert.deepEqual(far.opening, { type: "connect_request", payload: { host: "a.test", port: 443 } });
    far.stream.send(ACK);
    assert.equal(await near.read(10), reply(0));
    near.send("up");
    assert.equal(await far.read(2), "up");
    far.write("down");
    assert.equal(await near.read(4), "down");
    await assertEndsInOrder(near, far);
  }));

Deno.test("SOCKS5 accepts handshake and early data in one packet", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(`${GREETING}${CONNECT}early `);
    const far = await nextStream();
    assert.equal(await far.read(6), "early ");
    near.send("and later");
    far.stream.send(ACK, new TextEncoder().encode("220"));
    assert.equal(await near.read(15), `${CHOSEN}${reply(0)}220`);
    assert.equal(await far.read(9), "and later");
  }));

Deno.test("SOCKS5 accepts a handshake byte by byte", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    await near.trickle(`${GREETING}\x05\x01\x00\x04${"\x00".repeat(15)}\x01\x00\x50early`);
    const far = await nextStream();
    assert.deepEqual(far.opening.payload, { host: "0:0:0:0:0:0:0:1", port: 80 });
    far.stream.send(ACK);
    assert.equal(await far.read(5), "early");
    assert.equal(await near.read(12), `${CHOSEN}${reply(0)}`);
  }));

Deno.test("SOCKS5 refuses BIND, UDP and unknown address types, then closes", () =>
  withFrontDoor({}, async ({ client, refused }) => {
    const cases: [string, number][] = [
      ["\x05\x02\x00\x01\x01\x02\x03\x04\x00\x50", 7],
      ["\x05\x03\x00\x01\x01\x02\x03\x04\x00\x50", 7],
      ["\x05\x01\x00\x05", 8],
    ];
    for (const [request, code] of cases) {
      const near = client();
      await greet(near);
      near.send(request);
      assert.equal(await near.rest(), reply(code));
      near.end();
    }
    assert.equal(refused.length, 3);
  }));

Deno.test("SOCKS5 refuses a client without a supported method", () =>
  withFrontDoor({}, async ({ client }) => {
    const near = client();
    near.send("\x05\x01\x02");
    assert.equal(await near.rest(), "\x05\xff");
    near.end();
  }));

Deno.test("SOCKS5 reports the error in its reply", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(GREETING + CONNECT);
    const far = await nextStream();
    const error = { code: "target_refused", message: "Cannot dial a.test:443" };
    far.stream.send({ type: "connect_ack", payload: { error } }, undefined, { end: true });
    assert.equal(await near.rest(), CHOSEN + reply(5));
    near.end();
    assert.equal(await far.over(), undefined);
  }));

Deno.test("SOCKS5 replies network unreachable while there is no tunnel", () => {
  const openStream = () => Promise.reject(new SallyportError("tunnel_down", "no connection"));
  return withFrontDoor({ openStream }, async ({ client }) => {
    const near = client();
    near.send(GREETING + CONNECT);
    assert.equal(await near.rest(), CHOSEN + reply(3));
    near.end();
  });
});

Deno.test("socks5ReplyFor maps error codes to replies", () => {
  const cases = {
    target_refused: 5,
    target_denied: 2,
    target_unreachable: 4,
    target_timeout: 6,
    dns_error: 4,
  };
  for (const [code, expected] of Object.entries(cases)) {
    assert.equal(socks5ReplyFor(code as keyof typeof cases), expected);
  }
  assert.equal(socks5ReplyFor("going_away"), 3);
  assert.equal(socks5ReplyFor("internal"), 1);
});

Deno.test("SOCKS5 resets the stream of a client that goes away", () =>
  withFrontDoor({}, async ({ client, nextStream, settled }) => {
    const greeting = client();
    await greet(greeting);
    await greeting.close();
    await settled();
    const waiting = client();
    waiting.send(GREETING + CONNECT);
    const far = await nextStream();
    await waiting.close();
    assert.equal((await far.over())?.code, "cancelled");
    await settled();
  }));

Deno.test("SOCKS5 handshake has a timeout", () =>
  withFrontDoor({ headTimeoutMs: 20 }, async ({ client }) => {
    const near = client();
    await greet(near);
    near.send("\x05\x01");
    assert.equal(await near.rest(), "");
  }));
