/** Requests that an origin might parse differently from this proxy are refused and not forwarded. */
import assert from "node:assert/strict";
import { answer } from "../../../tests/support/clients/answer.ts";
import { withFrontDoor } from "../../../tests/support/clients/front_door.ts";
import { acceptedRequests, refusedRequests } from "../../../tests/support/clients/raw_requests.ts";

const POST = "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
const GET = "GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n";
const never = () => Promise.reject(new Error("must not be called"));

Deno.test("ambiguous requests are refused, their connection is closed, and no stream is opened", async (test) => {
  for (const { name, raw, status } of refusedRequests("a.test:80")) {
    await test.step(name, () =>
      withFrontDoor({ openStream: never }, async ({ client, refused }) => {
        const near = client();
        // What follows belongs to the ambiguous request or to another one: it is impossible to tell.
        near.send(raw + GET);
        const said = await near.rest();
        assert.equal(near.outcome, "end");
        assert.deepEqual(said.match(/^HTTP\/1\.1 \d+/gm), [`HTTP/1.1 ${status}`]);
        assert.match(said, /\r\nConnection: close\r\n/);
        assert.doesNotMatch(said, /secret/);
        assert.deepEqual(refused.map(({ error }) => error.code), ["bad_request"]);
        assert.doesNotMatch(JSON.stringify(refused), /secret/);
        near.end();
      }));
  }
});

Deno.test("unusual but unambiguous requests are rewritten", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    for (const { name, raw, method, path, body } of acceptedRequests("a.test:80")) {
      const near = client();
      near.send(raw);
      const far = await nextStream();
      await far.end();
      assert.ok(far.opening.type === "http_request", name);
      const { headers, ...head } = far.opening.payload;
      assert.deepEqual(head, { method, host: "a.test", port: 80, path }, name);
      assert.deepEqual(
        headers.filter((_, i) => /^host$/i.test(headers[i - i % 2]!)),
        ["Host", "a.test:80"],
        name,
      );
      assert.equal(far.text, body, name);
      answer(far, 200, ["Content-Length", "2"], "ok");
      await near.readTo("ok");
      await near.close();
    }
  }));

Deno.test("invalid body after its head was forwarded gets 400, and the stream is reset", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    for (
      const rest of [
        "zz\r\n",
        "1\r\nxy",
        "0\r\nX y: 1\r\n\r\n",
        "0\r\nX: \0\r\n\r\n",
        `0\r\nX: ${"x".repeat(70_000)}`,
      ]
    ) {
      const near = client();
      near.send(`${POST}4\r\nbody\r\n`);
      const far = await nextStream();
      assert.equal(await far.read(4), "body");
      near.send(rest);
      assert.match(await near.rest(), /^HTTP\/1\.1 4(00|31) [^]*Connection: close/);
      near.end();
      assert.equal((await far.over())?.code, "cancelled");
      assert.equal(far.ended, false);
    }
  }));

Deno.test("invalid body during the response closes the connection", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(`${POST}4\r\nbody\r\n`);
    const far = await nextStream();
    answer(far, 200, []);
    await near.readTo("\r\n\r\n");
    near.send("zz\r\n");
    assert.equal(await near.rest(), "");
    assert.equal((await far.over())?.code, "cancelled");
    assert.equal(far.ended, false);
  }));

Deno.test("chunk of nearly 2^64 bytes is a body that never ends", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(`${POST}ffffffffffffffff\r\nx\r\n0\r\n\r\n${GET}`);
    const far = await nextStream();
    assert.equal(await far.read(6 + GET.length + 2), `x\r\n0\r\n\r\n${GET}`);
    await near.close();
    assert.equal((await far.over())?.code, "cancelled");
    assert.equal(far.ended, false);
  }));

Deno.test("invalid request is refused after the response to the one before", () =>
  withFrontDoor({}, async ({ client, nextStream, streamCount }) => {
    for (
      const bad of ["nonsense\r\n\r\n", `${POST}zz\r\n`, `${POST.replace("a.test/", "u@a.test/")}0\r\n\r\n`]
    ) {
      const near = client();
      near.send(GET + bad + GET);
      const far = await nextStream();
      assert.equal(far.opening.type === "http_request" && far.opening.payload.path, "/x");
      answer(far, 200, ["Content-Length", "2"], "ok");
      assert.match(await near.rest(), /^HTTP\/1\.1 200 [^]*\r\n\r\nokHTTP\/1\.1 400 [^]*\n$/);
      assert.equal(streamCount(), 0);
      near.end();
    }
  }));

Deno.test("request with many fields keeps them all, and all its trailers", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    const fields = Array.from({ length: 4_000 }, (_, i) => `X${i}: 1\r\n`).join("");
    near.send(`${POST.replace("Transfer", `${fields}Transfer`)}1\r\nx\r\n0\r\n${fields}\r\n`);
    const far = await nextStream();
    await far.end();
    assert.ok(far.opening.type === "http_request");
    assert.equal(far.opening.payload.headers.length, 2 * 4_001);
    assert.equal(far.text, "x");
    assert.equal(far.trailers?.length, 2 * 4_000);
    answer(far, 200, ["Content-Length", "2"], "ok");
    await near.readTo("ok");
  }));
