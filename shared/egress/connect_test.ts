import assert from "node:assert/strict";
import { createServer } from "node:net";
import { collect } from "../../tests/support/mux/collect.ts";
import { Forwarding, responseOf } from "../../tests/support/origins/forwarding.ts";
import { readToEnd, readUntil, socketClosed } from "../../tests/support/origins/socket_origin.ts";
import type { OpeningMessage } from "../protocol/messages.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { within } from "../../tests/support/within.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const request = (host: string, port: number) =>
  ({ type: "connect_request", payload: { host, port } }) as const;

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

Deno.test("connect relays between client and target, early bytes first", () =>
  Forwarding.run(async (forwarding) => {
    const { port } = forwarding.origin;
    const near = await forwarding.open(request("a.example", port), bytes("early "));
    near.write(bytes("late"));
    const target = await forwarding.origin.next();
    assert.equal(await readUntil(target, (text) => text.endsWith("late")), "early late");
    target.end("answer");
    const got = await responseOf(near);
    assert.deepEqual(got.messages, [{ type: "connect_ack", payload: {} }]);
    assert.equal(got.text, "answer");
    near.end();
    const { durationMs: _, ...result } = await forwarding.result();
    assert.deepEqual(result, {
      ...{ kind: "connect_request", target: `a.example:${port}`, address: "127.0.0.1" },
      ...{ bytesIn: 10, bytesOut: 6 },
    });
  }));

Deno.test("a long-lived connect is reported once while it is open, and short streams are not", () =>
  Forwarding.run(async (forwarding) => {
    const { clock, origin, longLived } = forwarding;
    const opening = request("a.example", origin.port);
    const near = await forwarding.open(opening, bytes("hello"));
    const target = await origin.next();
    assert.equal(await readUntil(target, (text) => text === "hello"), "hello");
    clock.advance(39_999);
    assert.equal(longLived.length, 0);
    near.write(bytes("!"));
    assert.equal(await readUntil(target, (text) => text === "!"), "!");
    clock.advance(1);
    clock.advance(19_999);
    assert.deepEqual(longLived, [{
      ...{ kind: "connect_request", target: `a.example:${origin.port}`, address: "127.0.0.1" },
      ...{ bytesIn: 6, bytesOut: 0, durationMs: 40_000 },
    }]);
    near.end();
    target.end();
    await responseOf(near);
    await forwarding.result();
    const short = await forwarding.open(opening, undefined, { end: true });
    (await origin.next()).end();
    await responseOf(short);
    await forwarding.result(2);
    clock.advance(60_000);
    assert.equal(longLived.length, 1);
  }));

Deno.test("connect lets the target send after the client half-closed", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("127.0.0.1", forwarding.origin.port), bytes("question"), {
      end: true,
    });
    const target = await forwarding.origin.next();
    assert.equal(await readToEnd(target), "question");
    target.end("answer");
    assert.equal((await responseOf(near)).text, "answer");
  }));

Deno.test("connect responds with the error and ends", () =>
  Forwarding.run(async (forwarding) => {
    const cases = [
      [request("127.0.0.1", await closedPort()), "target_refused"],
      [request("missing.example", 80), "dns_error"],
      [request("denied.example", 80), "target_denied"],
      [request("10.0.0.1", 80), "target_denied"],
      [request("169.254.169.254", 80), "target_denied"],
      [request("::ffff:10.0.0.1", 80), "target_denied"],
    ] as const;
    for (const [index, [opening, code]] of cases.entries()) {
      const near = await forwarding.open(opening, bytes("dropped"));
      const { messages } = await responseOf(near);
      assert.equal(messages.length, 1);
      const [ack] = messages;
      assert.ok(ack?.type === "connect_ack");
      assert.equal(ack.payload.error?.code, code);
      assert.equal(
        /10\.0\.0\.0|metadata|default private|deny denied/.test(ack.payload.error!.message),
        false,
      );
      near.end();
      assert.equal((await forwarding.result(index + 1)).code, code);
    }
  }));

Deno.test("connect resets a refused stream whose client does not end its side", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("denied.example", 80));
    await responseOf(near);
    const closed = Promise.withResolvers<unknown>();
    near.listen({ closed: closed.resolve });
    forwarding.clock.advance(10_000);
    const error = await within(5_000, closed.promise, "the reset");
    assert.equal((error as { code?: string }).code, "target_denied");
  }));

Deno.test("connect resets the target when the client cancels", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("a.example", forwarding.origin.port), bytes("x"));
    const target = await forwarding.origin.next();
    await readUntil(target, (text) => text === "x");
    const failed = socketClosed(target.resume());
    near.reset("cancelled", "gone");
    assert.equal((await failed)?.code, "ECONNRESET");
    assert.equal((await forwarding.result()).code, "cancelled");
  }));

Deno.test("connect leaves nothing open when the client cancels while it dials", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("a.example", forwarding.origin.port));
    near.reset("cancelled", "gone");
    assert.equal((await forwarding.result()).code, "cancelled");
  }));

Deno.test("connect resets the client's stream when the target resets", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("a.example", forwarding.origin.port));
    const got = collect(near);
    const target = await forwarding.origin.next();
    target.write("half");
    target.resetAndDestroy();
    await within(5_000, assert.rejects(got, { code: "target_reset" }), "the reset");
    assert.equal((await forwarding.result()).code, "target_reset");
  }));

Deno.test("connect resets an idle tunnel", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("a.example", forwarding.origin.port), bytes("x"));
    const got = assert.rejects(collect(near), { code: "idle_timeout" });
    await readUntil(await forwarding.origin.next(), (text) => text === "x");
    forwarding.clock.advance(60_000);
    await within(5_000, got, "the reset");
    assert.equal((await forwarding.result()).code, "idle_timeout");
  }));

Deno.test("connect, HTTP and WebSocket report activity, at most once a second", () =>
  Forwarding.run(async (forwarding) => {
    const { clock, origin } = forwarding;
    const { port } = origin;
    const plain = { host: "a.example", port, method: "GET", path: "/", headers: ["Host", "a.example"] };
    const kinds: Record<string, { opening: OpeningMessage; answer: string }> = {
      connect: { opening: request("a.example", port), answer: "" },
      http: {
        opening: { type: "http_request", payload: plain },
        answer: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
      },
      websocket: {
        opening: {
          type: "websocket_open",
          payload: { host: "a.example", port, path: "/", headers: ["Host", "a.example"] },
        },
        answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      },
    };
    for (const [kind, { opening, answer }] of Object.entries(kinds)) {
      const near = await forwarding.open(opening, undefined, { end: kind === "http" });
      let arrived = 0;
      near.listen({ data: (part: Uint8Array) => void (arrived += part.byteLength) });
      near.resume();
      const target = await origin.next();
      target.resume();
      target.write(answer);
      const bytesCome = async (count: number) => {
        target.write("x".repeat(count));
        const before = arrived;
        await eventually(`bytes of ${kind} arrive`, () => assert.ok(arrived > before));
      };
      await bytesCome(1);
      forwarding.active = 0;
      clock.advance(1_000);
      await bytesCome(1);
      await bytesCome(1);
      assert.equal(forwarding.active, 1, kind);
      near.reset("cancelled", "enough");
      await forwarding.result();
      target.destroy();
    }
  }));
