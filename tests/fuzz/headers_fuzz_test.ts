/** Header lists: what is taken out, what stays, and what a hostile list may not do. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { basicCredentials } from "../../agent/front_door/proxy_auth.ts";
import { encodeHead } from "../../agent/front_door/raw_response.ts";
import { requestHeaders, upgradeHeaders } from "../../agent/front_door/request_headers.ts";
import { SallyportError } from "../../shared/errors.ts";
import { headerValues, listedTokens, removeFromTrailers, removeHopByHop } from "../../shared/http/headers.ts";
import { headerList } from "../../shared/protocol/shape.ts";

/** Cases of each property. */
const RUNS = 3_000;

const known = fc.constantFrom(
  ...["Connection", "connection", "Host", "HOST", "TE", "Transfer-Encoding", "Content-Length", "Upgrade"],
  ...[
    "Proxy-Authorization",
    "proxy-AUTHORIZATION",
    "Keep-Alive",
    "Trailer",
    "X-A",
    "x-b",
    "Proxy-Connection",
  ],
);
const name = fc.oneof(known, fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/));
const bytes = fc.array(
  fc.oneof(fc.constant(9), fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })),
  { maxLength: 12 },
)
  .map((codes) => String.fromCharCode(...codes));
const value = fc.oneof(
  bytes,
  known,
  fc.tuple(known, known).map((two) => two.join(", ")),
  fc.constantFrom("trailers", "chunked", "5"),
);
const list = fc.array(fc.tuple(name, value), { maxLength: 10 }).map((pairs) => pairs.flat());
/** Anything at all, control characters and characters that are no bytes included. */
const wild = fc.array(
  fc.oneof(fc.string({ unit: "binary", maxLength: 6 }), name, fc.constantFrom("\r\n", "\0", "a: b", "é")),
  { maxLength: 8 },
);

const NEVER = ["proxy-authorization", "proxy-connection", "keep-alive", "transfer-encoding"];

/** Whether `part` is `whole` with some pairs left out, the others in their order. */
function isWithin(part: string[], whole: string[]): boolean {
  let at = 0;
  for (let i = 0; i < part.length; i += 2) {
    while (at < whole.length && (whole[at] !== part[i] || whole[at + 1] !== part[i + 1])) at += 2;
    if (at >= whole.length) return false;
    at += 2;
  }
  return true;
}

Deno.test("headers that travel are those that came, in order, without what belongs to the hop", () => {
  fc.assert(
    fc.property(list, (headers) => {
      assert.deepEqual(headerList(headers, "headers"), headers, "valid");
      const kept = removeHopByHop(headers);
      const te = listedTokens(headers, "te").includes("trailers");
      assert.ok(isWithin(te ? kept.slice(0, -2) : kept, headers));
      const named = new Set(listedTokens(headers, "connection"));
      for (let i = 0; i < kept.length; i += 2) {
        const key = kept[i]!.toLowerCase();
        assert.ok(![...NEVER, "connection", "upgrade"].includes(key), key);
        assert.ok(!named.has(key) || ["content-length", "host", "te"].includes(key), key);
      }
      assert.deepEqual(removeHopByHop(kept), kept, "once is enough");
      for (const key of ["content-length", "host", "trailer", ...NEVER]) {
        assert.deepEqual(headerValues(removeFromTrailers(headers), key), []);
      }
      for (const travelling of [requestHeaders(headers, "a.test"), upgradeHeaders(headers, "a.test")]) {
        assert.deepEqual(headerValues(travelling, "host"), ["a.test"]);
        for (const key of NEVER) assert.deepEqual(headerValues(travelling, key), []);
      }
      if (headerValues(headers, "transfer-encoding").length > 0) {
        assert.deepEqual(headerValues(requestHeaders(headers, "a.test"), "content-length"), []);
      }
    }),
    { numRuns: RUNS },
  );
});

Deno.test("header lists that are taken can be written as one field a line, and others are refused with a code", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(wild, list), (headers) => {
      let read: string[];
      try {
        read = headerList(headers, "headers");
      } catch (error) {
        assert.ok(error instanceof SallyportError && error.code === "protocol_violation", String(error));
        return;
      }
      taken++;
      const lines = Buffer.from(encodeHead(200, "OK", read)).toString("latin1").split("\r\n");
      assert.equal(lines.length, 1 + read.length / 2 + 2);
      for (let i = 0; i < read.length; i += 2) assert.equal(lines[1 + i / 2], `${read[i]}: ${read[i + 1]}`);
    }),
    { numRuns: RUNS },
  );
  assert.ok(taken > RUNS / 4, `only ${taken} were taken`);
});

Deno.test("credentials are read or not, whatever the field holds", () => {
  const basic = fc.tuple(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }));
  fc.assert(
    fc.property(basic, bytes, ([user, password], other) => {
      basicCredentials(["Proxy-Authorization", other]);
      basicCredentials(["Proxy-Authorization", `Basic ${other}`]);
      const token = Buffer.from(`${user.replaceAll(":", "")}:${password}`).toString("base64");
      const given = basicCredentials(["Proxy-Authorization", `Basic ${token}`]);
      assert.equal(Buffer.from(given!.user).toString(), Buffer.from(user.replaceAll(":", "")).toString());
      assert.equal(Buffer.from(given!.password).toString(), Buffer.from(password).toString());
    }),
    { numRuns: RUNS },
  );
});
