/**
 * Purpose: sloppy but unambiguous responses reach a client in a form that all parsers read alike, through the server
 * and directly; ambiguous ones become a 502.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { request as startRequest } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import fc from "fast-check";
import { Chain } from "../../support/programs/chain.ts";
import { RawClient } from "../../support/clients/raw_client.ts";
import { SLOPPY_RESPONSES } from "../../support/origins/sloppy_responses.ts";
import { readUntil, SocketOrigin } from "../../support/origins/socket_origin.ts";
import { within } from "../../support/within.ts";

/** Routes from the agent to the origin. */
const ROUTES = {
  "through the server": {},
  "directly": { allow: [], agent: { bypass: ["127.0.0.0/8"] } },
};

/** Strict syntax: only `name: value` lines between CRLFs. */
const CANONICAL =
  /^HTTP\/1\.1 [1-9]\d\d [^\r\n\0]*\r\n(?:[!#-'*+.^-z|~0-9A-Z-]+: ?(?:[^\s\0][^\r\n\0]*)?\r\n)*\r\n/;

/** Starts an origin that answers each request with the next text and closes. */
async function startOrigin(next: () => string): Promise<SocketOrigin> {
  const origin = await SocketOrigin.start();
  return origin.serve((socket) =>
    void readUntil(socket, (text) => text.includes("\r\n\r\n")).then(
      () => socket.end(next(), "latin1"),
      () => socket.destroy(),
    )
  );
}

async function ask(chain: Chain, origin: SocketOrigin, method = "GET"): Promise<string> {
  const client = new RawClient(chain.proxyPort);
  const host = `127.0.0.1:${origin.port}`;
  client.send(`${method} http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const all = await client.rest();
  await client.close();
  return all;
}

for (const [route, options] of Object.entries(ROUTES)) {
  Deno.test(`sloppy responses reach the client ${route} in canonical form, or as 502`, async () => {
    let raw = "";
    await using origin = await startOrigin(() => raw);
    await using chain = await Chain.start(options);
    for (const answer of SLOPPY_RESPONSES) {
      raw = answer.raw;
      const got = await ask(chain, origin, answer.method);
      const { name, method, taken } = answer;
      assert.match(got, CANONICAL, name);
      assert.doesNotMatch(got, /evil/, name);
      if (taken === undefined) {
        assert.match(got, /^HTTP\/1\.1 502 [^]*\r\nProxy-Status: [^\r]*http_protocol_error/i, name);
        continue;
      }
      const { status = 200, reason = "OK", fields, body = "x", trailers = [] } = taken;
      const final = got.replace(/^HTTP\/1\.1 1\d\d [^]*?\r\n\r\n/, "");
      assert.ok(final.startsWith(`HTTP/1.1 ${status} ${reason}\r\n`), `${name}: ${final.slice(0, 200)}`);
      const head = final.slice(0, final.indexOf("\r\n\r\n") + 2);
      for (let i = 0; i < fields.length; i += 2) {
        assert.equal(head.split(`\r\n${fields[i]}: ${fields[i + 1]}\r\n`).length, 2, `${name}: ${fields[i]}`);
      }
      if (method === undefined) {
        const { text, trailers: gotTrailers } = await parse(got, false);
        assert.deepEqual([text, gotTrailers], [body, trailers], name);
      } else assert.equal(final.length, head.length + 2, name);
    }
    await chain.finish();
  });
}

interface Parsed {
  status: number | undefined;
  fields: string[];
  text: string;
  trailers: string[];
}

/** Parses bytes as a response with the strict or the lenient parser of node:http. */
async function parse(bytes: string, insecureHTTPParser: boolean): Promise<Parsed> {
  const server = createServer((socket) => {
    socket.on("error", () => {}).once("data", () => socket.end(bytes, "latin1"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const read = new Promise<Parsed>((resolve, reject) => {
    const request = startRequest(
      { host: "127.0.0.1", port, insecureHTTPParser, maxHeaderSize: 131_072, agent: false },
      (response) => {
        const parts: Uint8Array[] = [];
        response.on("data", (part: Uint8Array) => parts.push(part)).on("error", reject).on("end", () => {
          const { statusCode: status, rawHeaders: fields, rawTrailers: trailers } = response;
          resolve({ status, fields, text: Buffer.concat(parts).toString("latin1"), trailers });
        });
      },
    );
    request.on("error", reject).end();
  });
  try {
    return await within(5_000, read, "the response is parsed");
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

const lineEnd = fc.constantFrom("\r\n", "\r\n", "\n");
const blanks = fc.constantFrom("", "", " ", "\t", " \t ");
const word = fc.stringMatching(/^[!-~]{1,8}$/);
const fold = fc.tuple(lineEnd, fc.constantFrom(" ", "\t", "  ")).map((parts) => parts.join(""));
const value = fc.array(fc.tuple(word, fc.oneof({ weight: 3, arbitrary: fc.constant(" ") }, fold)), {
  maxLength: 4,
})
  .map((parts) => parts.flat().join(""));
const field = fc.tuple(fc.stringMatching(/^X-[A-Za-z0-9]{1,5}$/), blanks, blanks, value, blanks, lineEnd)
  .map(([name, before, after, text, behind, end]) => `${name}${before}:${after}${text}${behind}${end}`);
const fields = fc.array(field, { maxLength: 4 }).map((all) => all.join(""));
const firstLine = fc.tuple(
  fc.constantFrom("", "", "\r\n", "\n"),
  fc.constantFrom("HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.0 404 ", "HTTP/1.1  500  no good"),
  lineEnd,
).map((parts) => parts.join(""));
const body = fc.string({ unit: fc.constantFrom("a", "\r", "\n", "0", " ", ":", "\xff"), maxLength: 12 });
const excess = fc.oneof(body, fc.constant("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
const sizeEnd = fc.constantFrom("", "", " ", ";a", " ; a=b");

/** Responses with framing, their body, and excess bytes that do not belong to it. */
const sized = fc.tuple(
  firstLine,
  fields,
  blanks,
  fc.constantFrom(1, 2, 3),
  fc.boolean(),
  fields,
  lineEnd,
  body,
  excess,
)
  .map(([first, some, blank, times, asList, others, end, text, rest]) => {
    const lengths = asList
      ? `Content-Length${blank}: ${Array(times).fill(text.length).join(", ")}\r\n`
      : `content-length: ${text.length}${blank}\n`.repeat(times);
    return { raw: `${first}${some}${lengths}${others}${end}${text}${rest}`, text };
  });
const chunked = fc.tuple(
  firstLine,
  fields,
  lineEnd,
  fc.array(fc.tuple(body, sizeEnd), { maxLength: 3 }),
  fields,
  lineEnd,
  excess,
)
  .map(([first, some, end, chunks, trailers, last, rest]) => {
    const full = chunks.filter(([data]) => data !== "");
    const coded = full.map(([data, after]) => `0${data.length.toString(16)}${after}\r\n${data}\r\n`).join("");
    const raw = `${first}${some}Transfer-Encoding: Chunked${end}${end}${coded}0\r\n${trailers}${last}${rest}`;
    return { raw, text: full.map(([data]) => data).join("") };
  });
const unsized = fc.tuple(firstLine, fields, lineEnd, body)
  .map(([first, some, end, text]) => ({ raw: `${first}${some}${end}${text}`, text }));

for (const [route, options] of Object.entries(ROUTES)) {
  Deno.test(`strict and lenient clients read sloppy responses alike ${route}`, async () => {
    let raw = "";
    await using origin = await startOrigin(() => raw);
    await using chain = await Chain.start(options);
    const property = fc.asyncProperty(fc.oneof(sized, chunked, unsized), async (answer) => {
      raw = answer.raw;
      const got = await ask(chain, origin);
      assert.match(got, CANONICAL);
      const strict = await parse(got, false);
      assert.deepEqual(strict, await parse(got, true));
      assert.equal(strict.text, answer.text);
      assert.notEqual(strict.status, 502);
      // Nothing may follow the response: the parser would not report it.
      const head = got.slice(0, got.indexOf("\r\n\r\n") + 4);
      const { length = "" } = /\r\nContent-Length: (?<length>\d+)\r\n/i.exec(head)?.groups ?? {};
      if (length !== "") assert.equal(got.length, head.length + Number(length));
      else if (/\r\nTransfer-Encoding: chunked\r\n/i.test(head)) assert.ok(got.endsWith("\r\n\r\n"), got);
      assert.ok(!/\r\nContent-Length:[^]*\r\nContent-Length:/i.test(head), head);
    });
    await fc.assert(property, { numRuns: 150 });
    await chain.finish();
  });
}

Deno.test("one audit line reports that an origin sent bytes after its response, however many", async () => {
  await using origin = await startOrigin(() =>
    `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${"x".repeat(100_000)}`
  );
  await using chain = await Chain.start();
  assert.match(await ask(chain, origin), /\r\n\r\nx$/);
  await chain.finish();
  const [line, ...more] = chain.server.out.lines;
  assert.deepEqual(more, []);
  assert.equal(line?.fields["outcome"], "ok");
  assert.match(String(line?.fields["detail"]), /sent bytes after its response/);
});
