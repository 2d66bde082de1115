import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { collect } from "../../tests/support/mux/collect.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { Forwarding, responseOf } from "../../tests/support/origins/forwarding.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { readUntil, socketClosed } from "../../tests/support/origins/socket_origin.ts";
import { streamPairs } from "../../tests/support/mux/stream_pair.ts";
import { within } from "../../tests/support/within.ts";
import type { MuxStream } from "../mux/stream/stream.ts";
import { forward } from "./forward.ts";
import { createOriginPool } from "./http/origin_pool.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const headRead = (socket: Socket) => readUntil(socket, (text) => text.includes("\r\n\r\n"));
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** The code of the error with which a request is answered. */
async function errorOf(near: MuxStream): Promise<string | undefined> {
  const { messages } = await responseOf(near);
  const head = messages.at(-1);
  assert.ok(head?.type === "http_response");
  return head.payload.error?.code;
}

Deno.test("http responds with the error of a request without a response", () =>
  Forwarding.run(async (forwarding) => {
    const cases: [Parameters<Forwarding["http"]>[0], string][] = [
      [{ host: "missing.example" }, "dns_error"],
      [{ host: "denied.example" }, "target_denied"],
      [{ host: "10.0.0.1" }, "target_denied"],
      [{ host: "127.0.0.1", port: 1 }, "target_refused"],
      [{ method: "CONNECT" }, "bad_request"],
      [{ headers: ["Host", "a", "host", "b"] }, "bad_request"],
      [{ headers: ["Content-Length", "1", "content-length", "1"] }, "bad_request"],
      [{ headers: ["Content-Length", "+1"] }, "bad_request"],
      [{ headers: ["Transfer-Encoding", "gzip, chunked"] }, "bad_request"],
    ];
    for (const [index, [request, code]] of cases.entries()) {
      assert.equal(await errorOf(await forwarding.http(request)), code, JSON.stringify(request));
      assert.equal((await forwarding.result(index + 1)).code, code);
    }
    assert.equal(forwarding.origin.accepted, 0);
  }));

Deno.test("http distinguishes an invalid response from one that ends early", () =>
  Forwarding.run(async (forwarding) => {
    const cases: [string, string][] = [
      ["SSH-2.0-OpenSSH_9.6\r\n", "target_protocol"],
      ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "target_protocol"],
      ["HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "target_protocol"],
      [`HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}\r\n\r\n`, "target_protocol"],
      ["HTTP/1.1 200 O", "target_reset"],
      ["", "target_reset"],
    ];
    for (const [answer, code] of cases) {
      const near = await forwarding.http({});
      const target = await forwarding.origin.next();
      await headRead(target);
      target.end(answer);
      assert.equal(await errorOf(near), code, answer.slice(0, 60));
    }
  }));

Deno.test("http resets the stream when the origin fails in the middle of the body", () =>
  Forwarding.run(async (forwarding) => {
    const heads = ["Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n", ""];
    for (const head of heads) {
      for (const reset of [true, false]) {
        // Without a length a clean end is the end of the body.
        if (head === "" && !reset) continue;
        const near = await forwarding.http({});
        const got = assert.rejects(collect(near), { code: "target_reset" }, `${head} ${reset}`);
        const target = await forwarding.origin.next();
        await headRead(target);
        target.write(`HTTP/1.1 200 OK\r\n${head}\r\n${head.startsWith("T") ? "5\r\n" : ""}hello`);
        await eventually("half of the body", () => assert.equal(near.bytesIn, 5));
        if (reset) target.resetAndDestroy();
        else target.end();
        await within(5_000, got, `the reset after ${head}`);
        assert.equal((await forwarding.result(forwarding.results.length)).code, "target_reset");
      }
    }
  }));

Deno.test("http closes the origin's connection when the client cancels, before and during the response", () =>
  Forwarding.run(async (forwarding) => {
    for (const answer of ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"]) {
      const near = await forwarding.http({});
      const target = await forwarding.origin.next();
      await headRead(target);
      near.listen({});
      near.resume();
      target.write(answer);
      await eventually("half of the body", () => assert.equal(near.bytesIn, answer === "" ? 0 : 5));
      const closed = socketClosed(target.resume());
      target.on("end", () => target.end());
      near.reset("cancelled", "gone");
      await closed;
      assert.equal((await forwarding.result(forwarding.results.length || 1)).code, "cancelled");
    }
  }));

Deno.test("http retries a request whose reused connection was closed, on a new one", () =>
  Forwarding.run(async (forwarding) => {
    const first = await forwarding.http({});
    const stale = await forwarding.origin.next();
    await headRead(stale);
    stale.write(OK);
    await responseOf(first);
    const again = await forwarding.http({ path: "/again" });
    assert.match(await headRead(stale), /^GET \/again /);
    stale.resetAndDestroy();
    const target = await forwarding.origin.next();
    assert.match(await headRead(target), /^GET \/again .*\r\nConnection: close\r\n/s);
    target.write(OK);
    assert.equal((await responseOf(again)).text, "ok");
  }));

Deno.test("http does not retry a request with a body, a non-idempotent one, or after a partial response", () =>
  Forwarding.run(async (forwarding) => {
    const cases: [string, string | undefined, string][] = [
      ["POST", undefined, ""],
      ["PUT", "x", ""],
      ["GET", undefined, "HTTP/1.1 103 Early Hints\r\n\r\n"],
    ];
    for (const [method, body, answer] of cases) {
      const first = await forwarding.http({});
      const kept = await forwarding.origin.next();
      await headRead(kept);
      kept.write(OK);
      await responseOf(first);
      const near = await forwarding.http({ method }, body === undefined ? undefined : bytes(body));
      await headRead(kept);
      kept.write(answer, () => kept.resetAndDestroy());
      assert.equal(await errorOf(near), "target_reset", method);
    }
    assert.equal(forwarding.origin.accepted, 3);
  }));

Deno.test("http does not retry a request that the client cancelled", () =>
  Forwarding.run(async (forwarding) => {
    const first = await forwarding.http({});
    const kept = await forwarding.origin.next();
    await headRead(kept);
    kept.write(OK);
    await responseOf(first);
    for (const method of ["POST", "GET"]) {
      const near = await forwarding.http({ method });
      const target = method === "POST" ? kept : await forwarding.origin.next();
      assert.ok((await headRead(target)).startsWith(`${method} `));
      near.reset("cancelled", "gone");
      await forwarding.result(method === "POST" ? 2 : 3);
    }
    assert.equal(forwarding.origin.accepted, 2);
  }));

Deno.test("http does not retry twice", () =>
  Forwarding.run(async (forwarding) => {
    const first = await forwarding.http({});
    const kept = await forwarding.origin.next();
    await headRead(kept);
    kept.write(OK);
    await responseOf(first);
    const near = await forwarding.http({});
    await headRead(kept);
    kept.resetAndDestroy();
    const second = await forwarding.origin.next();
    await headRead(second);
    second.resetAndDestroy();
    assert.equal(await errorOf(near), "target_reset");
    assert.equal(forwarding.origin.accepted, 2);
  }));

Deno.test("http enforces the announced length of a request's body", () =>
  Forwarding.run(async (forwarding) => {
    for (const body of ["abc", "a"]) {
      const near = await forwarding.http({ method: "POST", headers: ["Content-Length", "2"] }, bytes(body));
      assert.equal(await errorOf(near), "bad_request", body);
    }
  }));

Deno.test("http relays a response that comes before the request's body", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.http(
      { method: "POST", headers: ["Content-Length", "4000000"] },
      bytes("x"),
      {},
    );
    const target = await forwarding.origin.next();
    await headRead(target);
    target.end("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    assert.equal((await responseOf(near)).text, "no");
    target.destroy();
    for (let i = 0; i < 100; i++) near.write(new Uint8Array(20_000));
    near.end();
    const { code, status } = await forwarding.result();
    assert.deepEqual([code, status], [undefined, 413]);
  }));

Deno.test("http distinguishes an idle origin from an idle client", () =>
  Forwarding.run(async (forwarding) => {
    const waiting = await forwarding.http({});
    const first = await forwarding.origin.next();
    await headRead(first);
    forwarding.clock.advance(60_000);
    assert.equal(await errorOf(waiting), "target_timeout");
    const stuck = await forwarding.http({ method: "POST" }, bytes("x"), {});
    const second = await forwarding.origin.next();
    await headRead(second);
    forwarding.clock.advance(60_000);
    assert.equal(await errorOf(stuck), "idle_timeout");
    stuck.end();
    const half = await forwarding.http({});
    const got = assert.rejects(collect(half), { code: "idle_timeout" });
    const third = await forwarding.origin.next();
    await headRead(third);
    third.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    await eventually("half of the body", () => assert.equal(half.bytesIn, 4));
    forwarding.clock.advance(60_000);
    await within(5_000, got, "the reset");
  }));

Deno.test("http stops dialling for a cancelled request", async () => {
  const pairs = await streamPairs();
  const { near, far } = await pairs.open(
    {
      type: "http_request",
      payload: { method: "GET", host: "slow.example", port: 80, path: "/", headers: [] },
    },
    undefined,
    { end: true },
  );
  const dialled = Promise.withResolvers<AbortSignal | undefined>();
  const origins = createOriginPool();
  forward(far, {
    dial: (_host, _port, signal) => {
      dialled.resolve(signal);
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    },
    ...{ clock: new ManualClock(), idleTimeoutMs: 60_000, origins, onDone() {} },
  });
  const signal = await within(5_000, dialled.promise, "the dial");
  assert.equal(signal?.aborted, false);
  near.reset("cancelled", "gone");
  await eventually("the dial is given up", () => assert.equal(signal?.aborted, true));
  origins.destroy();
  await pairs.close();
});
