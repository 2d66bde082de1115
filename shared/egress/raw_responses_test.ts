/** What an origin may send to the client: a response is read strictly and rewritten, or refused. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Forwarding, responseOf } from "../../tests/support/origins/forwarding.ts";
import { readUntil } from "../../tests/support/origins/socket_origin.ts";
import { within } from "../../tests/support/within.ts";
import type { MuxStream } from "../mux/stream/stream.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const SIZED = "Content-Length: 1\r\n\r\nx";
const CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
const EVIL = `${OK}Content-Length: 4\r\n\r\nevil`;

/** Responses of which nothing is relayed. */
const REFUSED: Readonly<Record<string, string>> = {
  "length and chunks": `${OK}Content-Length: 3\r\n${CHUNKED}1\r\nx\r\n0\r\n\r\n`,
  "chunks and length": `${OK}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  "two lengths": `${OK}Content-Length: 2\r\n${SIZED}`,
  "a length with plus": `${OK}Content-Length: +1\r\n\r\nx`,
  "a length in hex": `${OK}Content-Length: 0x1\r\n\r\nx`,
  "identity": `${OK}Transfer-Encoding: identity\r\n\r\nx`,
  "chunked, identity": `${OK}Transfer-Encoding: chunked, identity\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  "gzip, chunked": `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  "xchunked": `${OK}Transfer-Encoding: xchunked\r\n\r\nx`,
  "an empty coding": `${OK}Transfer-Encoding: \r\n\r\nx`,
  "chunked with a parameter": `${OK}Transfer-Encoding: chunked;q=1\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  "a field that ends in CR": `${OK}X: 1\r${SIZED}`,
  "a name with a blank": `${OK}X Y: 1\r\n${SIZED}`,
  "a field without a name": `${OK}: 1\r\n${SIZED}`,
  "a name beyond ASCII": `${OK}X\xe9: 1\r\n${SIZED}`,
  "a value with NUL": `${OK}X: a\0\r\n${SIZED}`,
  "a value with ESC": `${OK}X: \x1b[31m\r\n${SIZED}`,
  "a value with DEL": `${OK}X: \x7f\r\n${SIZED}`,
  "a reason with NUL": `HTTP/1.1 200 O\0K\r\n${SIZED}`,
  "a reason with ESC": `HTTP/1.1 200 \x1b[31m\r\n${SIZED}`,
  "a reason with CR": `HTTP/1.1 200 O\rX: y\r\n${SIZED}`,
  "a status of two digits": `HTTP/1.1 20 OK\r\n${SIZED}`,
  "a status of four digits": `HTTP/1.1 2000 OK\r\n${SIZED}`,
  "a status below 100": `HTTP/1.1 099 OK\r\n${SIZED}`,
  "an unsolicited switch": "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nx",
  "HTTP/0.9": "x",
  "HTTP/0.9 by name": `HTTP/0.9 200 OK\r\n${SIZED}`,
  "HTTP/2.0 in text": `HTTP/2.0 200 OK\r\n${SIZED}`,
  "a head of 70,000 bytes": `${OK}X: ${"x".repeat(70_000)}\r\n${SIZED}`,
  "an interim response with NUL": `HTTP/1.1 103 Hints\r\nX: \0\r\n\r\n${OK}${SIZED}`,
  "an interim response with a reason that has ESC": `HTTP/1.1 103 \x1b\r\n\r\n${OK}${SIZED}`,
};

/** Responses that are reset where they become invalid. */
const BROKEN: Readonly<Record<string, string>> = {
  "a chunk without a size": `${OK}${CHUNKED}zz\r\nx\r\n0\r\n\r\n`,
  "a chunk of 2^64 bytes": `${OK}${CHUNKED}10000000000000000\r\nx\r\n0\r\n\r\n`,
  "a negative chunk": `${OK}${CHUNKED}-1\r\nx\r\n0\r\n\r\n`,
  "chunks that end in LF": `${OK}${CHUNKED}1\nx\n0\n\n`,
  "a chunk longer than it says": `${OK}${CHUNKED}1\r\nxyz\r\n0\r\n\r\n`,
  "a trailer's name with a blank": `${OK}${CHUNKED}0\r\nX y: 1\r\n\r\n`,
  "a trailer with NUL": `${OK}${CHUNKED}0\r\nX: \0\r\n\r\n`,
  "a length among the trailers": `${OK}${CHUNKED}1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n`,
  "trailers of 70,000 bytes": `${OK}${CHUNKED}0\r\nX: ${"x".repeat(70_000)}\r\n\r\n`,
};

async function asked(forwarding: Forwarding, answer: string): Promise<MuxStream> {
  const near = await forwarding.http({});
  const target = await forwarding.origin.next();
  await readUntil(target, (text) => text.includes("\r\n\r\n"));
  target.end(answer, "latin1");
  return near;
}

Deno.test("ambiguous responses are refused, and nothing of them gets through", async (test) => {
  for (const [name, answer] of Object.entries(REFUSED)) {
    await test.step(name, () =>
      Forwarding.run(async (forwarding) => {
        const { messages, text } = await responseOf(await asked(forwarding, answer));
        assert.deepEqual(messages.map((each) => each.type === "http_response" && each.payload.error?.code), [
          "target_protocol",
        ]);
        assert.equal(text, "");
        assert.equal((await forwarding.result()).code, "target_protocol");
      }));
  }
});

Deno.test("responses that become invalid are reset, so that they never look complete", async (test) => {
  for (const [name, answer] of Object.entries(BROKEN)) {
    await test.step(name, () =>
      Forwarding.run(async (forwarding) => {
        await assert.rejects(responseOf(await asked(forwarding, answer)), { code: "target_protocol" });
      }));
  }
});

Deno.test("unusual but clear responses are rewritten in canonical form, obs-text byte for byte", () =>
  Forwarding.run(async (forwarding) => {
    const odd = `HTTP/1.1 200 \xe9\r\nX: \x80\xff\t\xe9\r\nTransfer-Encoding: ChUnKeD\r\n\r\n` +
      '1;ext="a"\r\nx\r\n0\r\nT: \xfe\r\n\r\n';
    const { messages, text, trailers } = await responseOf(await asked(forwarding, odd));
    assert.deepEqual(messages.map(({ payload }) => payload), [
      { status: 200, reason: "\xe9", headers: ["X", "\x80\xff\t\xe9", "Via", "1.1 sallyport"] },
    ]);
    assert.deepEqual([text, trailers], ["x", ["T", "\xfe"]]);
  }));

Deno.test("responses keep thousands of fields, and so do their trailers", () =>
  Forwarding.run(async (forwarding) => {
    const fields = Array.from({ length: 4_000 }, (_, i) => `X${i}: 1\r\n`).join("");
    const near = await asked(forwarding, `${OK}${fields}${CHUNKED}1\r\nx\r\n0\r\n${fields}\r\n`);
    const { messages, trailers } = await responseOf(near);
    const [head] = messages;
    assert.ok(head?.type === "http_response");
    assert.equal(head.payload.headers?.length, 2 * 4_001);
    assert.equal(trailers?.length, 2 * 4_000);
  }));

Deno.test("an unsolicited second response reaches no client", async (test) => {
  for (const when of ["together with the first", "later"]) {
    await test.step(when, () =>
      Forwarding.run(async (forwarding) => {
        const near = await forwarding.http({});
        const target = await forwarding.origin.next();
        await readUntil(target, (text) => text.includes("\r\n\r\n"));
        const dropped = new Promise<unknown>((resolve) => target.once("end", resolve).once("close", resolve));
        target.resume();
        if (when === "later") {
          target.write(`${OK}${SIZED}`);
          assert.equal((await responseOf(near)).text, "x");
          target.write(EVIL);
        } else {
          target.write(`${OK}${SIZED}${EVIL}`);
          assert.equal((await responseOf(near)).text, "x");
        }
        await within(5_000, dropped, "the server drops the connection");
        const second = await forwarding.http({});
        const other: Socket = await forwarding.origin.next();
        await readUntil(other, (text) => text.includes("\r\n\r\n"));
        other.write(`${OK}Content-Length: 4\r\n\r\ngood`);
        assert.equal((await responseOf(second)).text, "good");
      }));
  }
});
