import assert from "node:assert/strict";
import { createServer } from "node:net";
import { collect } from "../../tests/support/collect.ts";
import { answerOf, Forwarding } from "../../tests/support/forwarding.ts";
import { readToEnd, readUntil, socketClosed } from "../../tests/support/socket_origin.ts";
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

Deno.test("connect joins the client and the target, early bytes first", () =>
  Forwarding.run(async (forwarding) => {
    const { port } = forwarding.origin;
    const near = await forwarding.open(request("a.example", port), bytes("early "));
    near.write(bytes("late"));
    const target = await forwarding.origin.next();
    assert.equal(await readUntil(target, (text) => text.endsWith("late")), "early late");
    target.end("answer");
    const got = await answerOf(near);
    assert.deepEqual(got.messages, [{ type: "connect_ack", payload: {} }]);
    assert.equal(got.text, "answer");
    near.end();
    const { durationMs: _, ...outcome } = await forwarding.outcome();
    assert.deepEqual(outcome, {
      ...{ kind: "connect_request", target: `a.example:${port}`, address: "127.0.0.1" },
      ...{ bytesIn: 10, bytesOut: 6 },
    });
  }));

Deno.test("connect is told of while it lasts, once, and short streams are not", () =>
  Forwarding.run(async (forwarding) => {
    const { clock, origin, lasting } = forwarding;
    const opening = request("a.example", origin.port);
    const near = await forwarding.open(opening, bytes("hello"));
    const target = await origin.next();
    assert.equal(await readUntil(target, (text) => text === "hello"), "hello");
    clock.advance(39_999);
    assert.equal(lasting.length, 0);
    near.write(bytes("!"));
    assert.equal(await readUntil(target, (text) => text === "!"), "!");
    clock.advance(1);
    clock.advance(19_999);
    assert.deepEqual(lasting, [{
      ...{ kind: "connect_request", target: `a.example:${origin.port}`, address: "127.0.0.1" },
      ...{ bytesIn: 6, bytesOut: 0, durationMs: 40_000 },
    }]);
    near.end();
    target.end();
    await answerOf(near);
    await forwarding.outcome();
    const short = await forwarding.open(opening, undefined, { end: true });
    (await origin.next()).end();
    await answerOf(short);
    await forwarding.outcome(2);
    clock.advance(60_000);
    assert.equal(lasting.length, 1);
  }));

Deno.test("connect lets the target answer after the client half-closed", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("127.0.0.1", forwarding.origin.port), bytes("question"), {
      end: true,
    });
    const target = await forwarding.origin.next();
    assert.equal(await readToEnd(target), "question");
    target.end("answer");
    assert.equal((await answerOf(near)).text, "answer");
  }));

Deno.test("connect answers with what went wrong and ends", () =>
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
      const { messages } = await answerOf(near);
      assert.equal(messages.length, 1);
      const [ack] = messages;
      assert.ok(ack?.type === "connect_ack");
      assert.equal(ack.payload.error?.code, code);
      assert.equal(
        /10\.0\.0\.0|metadata|default private|deny denied/.test(ack.payload.error!.message),
        false,
      );
      near.end();
      assert.equal((await forwarding.outcome(index + 1)).code, code);
    }
  }));

Deno.test("connect resets a refused stream whose client does not end its side", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("denied.example", 80));
    await answerOf(near);
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
    assert.equal((await forwarding.outcome()).code, "cancelled");
  }));

Deno.test("connect leaves nothing when the client cancels while it dials", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("a.example", forwarding.origin.port));
    near.reset("cancelled", "gone");
    assert.equal((await forwarding.outcome()).code, "cancelled");
  }));

Deno.test("connect resets the client's stream when the target breaks off", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("a.example", forwarding.origin.port));
    const got = collect(near);
    const target = await forwarding.origin.next();
    target.write("half");
    target.resetAndDestroy();
    await within(5_000, assert.rejects(got, { code: "target_reset" }), "the reset");
    assert.equal((await forwarding.outcome()).code, "target_reset");
  }));

Deno.test("connect cuts a tunnel in which nothing happens", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(request("a.example", forwarding.origin.port), bytes("x"));
    const got = assert.rejects(collect(near), { code: "idle_timeout" });
    await readUntil(await forwarding.origin.next(), (text) => text === "x");
    forwarding.clock.advance(60_000);
    await within(5_000, got, "the reset");
    assert.equal((await forwarding.outcome()).code, "idle_timeout");
  }));
