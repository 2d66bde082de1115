/** Header lists: hop-by-hop fields are removed, the rest is kept, and hostile lists are refused. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { basicCredentials } from "../../agent/front_door/client/proxy_auth.ts";
import { encodeHead } from "../../agent/front_door/refusals/raw_response.ts";
import { requestHeaders, upgradeHeaders } from "../../agent/front_door/http/request_headers.ts";
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
/** Any text, including control characters and characters outside latin-1. */
const wild = fc.array(
  fc.oneof(fc.string({ unit: "binary", maxLength: 6 }), name, fc.constantFrom("\r\n", "\0", "a: b", "é")),
  { maxLength: 8 },
);

const NEVER = ["proxy-authorization", "proxy-connection", "keep-alive", "transfer-encoding"];

/** Whether `part` is `whole` without some of its pairs, in the same order. */
function isWithin(part: string[], whole: string[]): boolean {
  let at = 0;
  for (let i = 0; i < part.length; i += 2) {
    while (at < whole.length && (whole[at] !== part[i] || whole[at + 1] !== part[i + 1])) at += 2;
    if (at >= whole.length) return false;
    at += 2;
  }
  return true;
}

Deno.test("forwarded headers are the received ones, in order, without hop-by-hop fields", () => {
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
      assert.deepEqual(removeHopByHop(kept), kept, "removing twice changes nothing");
      for (const key of ["content-length", "host", "trailer", ...NEVER]) {
        assert.deepEqual(headerValues(removeFromTrailers(headers), key), []);
      }
      for (const forwarded of [requestHeaders(headers, "a.test"), upgradeHeaders(headers, "a.test")]) {
        assert.deepEqual(headerValues(forwarded, "host"), ["a.test"]);
        for (const key of NEVER) assert.deepEqual(headerValues(forwarded, key), []);
      }
      if (headerValues(headers, "transfer-encoding").length > 0) {
        assert.deepEqual(headerValues(requestHeaders(headers, "a.test"), "content-length"), []);
      }
    }),
    { numRuns: RUNS },
  );
});

Deno.test("accepted header lists can be written as one field per line, and others are refused with a code", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(wild, list), (headers) => {
      let read: string[];
      try {
        read = headerList(headers, "headers");
      } catch (error) {
        assert.ok(error instanceof SallyportError && error.code === "protocol_violation", String(error));
        return;
      }
      accepted++;
      const lines = Buffer.from(encodeHead(200, "OK", read)).toString("latin1").split("\r\n");
      assert.equal(lines.length, 1 + read.length / 2 + 2);
      for (let i = 0; i < read.length; i += 2) assert.equal(lines[1 + i / 2], `${read[i]}: ${read[i + 1]}`);
    }),
    { numRuns: RUNS },
  );
  assert.ok(accepted > RUNS / 4, `only ${accepted} were accepted`);
});

Deno.test("credentials are parsed or ignored, whatever the field contains", () => {
  const basic = fc.tuple(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }));
  fc.assert(
    fc.property(basic, bytes, ([user, password], other) => {
      basicCredentials(["Proxy-Authorization", other]);
      basicCredentials(["Proxy-Authorization", `Basic ${other}`]);
      const token = Buffer.from(`${user.replaceAll(":", "")}:${password}`).toString("base64");
      const parsed = basicCredentials(["Proxy-Authorization", `Basic ${token}`]);
      assert.equal(Buffer.from(parsed!.user).toString(), Buffer.from(user.replaceAll(":", "")).toString());
      assert.equal(Buffer.from(parsed!.password).toString(), Buffer.from(password).toString());
    }),
    { numRuns: RUNS },
  );
});
