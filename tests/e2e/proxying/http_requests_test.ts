/**
 * Purpose: plain HTTP requests from curl reach the origin unchanged, and so do its responses, except for what a
 * proxy has to change: hop-by-hop headers are removed and `Via` is added.
 */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";

Deno.test("every method reaches the origin with its path and query", async () => {
  await using chain = await Chain.start();
  await using origin = startHttpOrigin((request) => {
    const { pathname, search } = new URL(request.url);
    return new Response(`${request.method} ${pathname}${search}`);
  });
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH"]) {
    const { code, text, errors } = await curl([
      ...["-x", chain.proxyUrl, "-X", method, "--path-as-is"],
      `http://${origin.host}/a//b/../c%2Fd?x=1&y=%20`,
    ]);
    assert.equal(code, 0, errors);
    assert.equal(text.replace("/a//b/../", "/a//"), `${method} /a//c%2Fd?x=1&y=%20`);
  }
  await chain.finish();
});

Deno.test("HEAD, 204 and 304 end without a body on one keep-alive connection", async () => {
  await using chain = await Chain.start();
  await using origin = startHttpOrigin((request) => {
    const status = Number(new URL(request.url).pathname.slice(1));
    return status === 200 ? new Response("a body") : new Response(null, { status });
  });
  const head = await curl(["-x", chain.proxyUrl, "-I", `http://${origin.host}/200`]);
  assert.equal(head.code, 0, head.errors);
  assert.match(head.text, /^HTTP\/1\.1 200 [^]*content-length: 6\r\n/i);
  const urls = [204, 304, 200].map((status) => `http://${origin.host}/${status}`);
  const rest = await curl(["-x", chain.proxyUrl, "-w", "[%{http_code} %{num_connects}]", ...urls]);
  assert.equal(rest.text, "[204 1][304 0]a body[200 0]", rest.errors);
  await chain.finish();
});

const RESPONSE = [
  "HTTP/1.1 203 Rather Odd",
  "X-ODD-case: One",
  "Set-Cookie: a=1; Path=/",
  "set-cookie: b=2",
  "Content-Encoding: gzip",
  "Connection: keep-alive, X-Private",
  "X-Private: for the next hop only",
  "Keep-Alive: timeout=9",
  "Content-Length: 4",
].join("\r\n") + "\r\n\r\nnot!";

Deno.test("headers keep case, order and repetition in both directions; hop-by-hop headers are removed", async () => {
  await using chain = await Chain.start();
  const heads: string[] = [];
  await using origin = startTcpOrigin(async (connection) => {
    heads.push(await new ByteReader(connection).head());
    await writeAll(connection, RESPONSE);
  });
  const { code, text, errors } = await curl([
    ...[
      "-x",
      chain.proxyUrl,
      "-i",
      "-A",
      "Test/1",
      "-H",
      "X-Mixed-CASE: 1",
      "-H",
      "x-list: a",
      "-H",
      "x-list: b",
    ],
    ...["-H", "Connection: X-Hop", "-H", "X-Hop: drop me", "-H", "Proxy-Authorization: Basic eDp5"],
    `http://${origin.host}/`,
  ]);
  assert.equal(code, 0, errors);
  const [head = ""] = heads;
  assert.match(head, /^GET \/ HTTP\/1\.1\r\n/);
  assert.match(head, /X-Mixed-CASE: 1\r\n(.*\r\n)*x-list: a\r\n(.*\r\n)*x-list: b\r\n/);
  assert.match(head, /\r\nVia: 1\.1 /i);
  assert.doesNotMatch(head, /x-hop|proxy-/i);
  assert.match(text, /^HTTP\/1\.1 203 Rather Odd\r\n/);
  assert.match(
    text,
    /X-ODD-case: One\r\nSet-Cookie: a=1; Path=\/\r\nset-cookie: b=2\r\nContent-Encoding: gzip\r\n/,
  );
  assert.match(text, /\r\nVia: 1\.1 /i);
  assert.doesNotMatch(text, /x-private|timeout=9/i);
  assert.ok(text.endsWith("\r\n\r\nnot!"), "the encoded body is unchanged");
  await chain.finish();
});
