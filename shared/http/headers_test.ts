import assert from "node:assert/strict";
import { addVia, headerValues, listedTokens, removeFromTrailers, removeHopByHop } from "./headers.ts";

Deno.test("removeHopByHop drops the connection's own fields in any case", () => {
  const headers = [
    ...["connection", "keep-alive", "Proxy-Connection", "keep-alive", "KEEP-ALIVE", "timeout=5"],
    ...["Transfer-Encoding", "chunked", "Upgrade", "h2c", "Proxy-Authorization", "Basic eA=="],
    ...["Proxy-Authenticate", "Basic", "HTTP2-Settings", "AAMAAABk", "TE", "gzip", "Accept", "*/*"],
  ];
  assert.deepEqual(removeHopByHop(headers), ["Accept", "*/*"]);
});

Deno.test("removeHopByHop drops what any Connection line names", () => {
  const headers = ["X-A", "1", "Connection", "close, x-a", "x-B", "2", "CONNECTION", " X-b ,", "X-C", "3"];
  assert.deepEqual(removeHopByHop(headers), ["X-C", "3"]);
});

Deno.test("removeHopByHop keeps host and length when Connection names them", () => {
  const headers = ["Host", "a", "Content-Length", "3", "Connection", "host, content-length"];
  assert.deepEqual(removeHopByHop(headers), ["Host", "a", "Content-Length", "3"]);
});

Deno.test("removeHopByHop keeps only trailers of TE", () => {
  assert.deepEqual(removeHopByHop(["TE", "gzip;q=0.5, Trailers", "Connection", "TE", "A", "b"]), [
    ...["A", "b", "TE", "trailers"],
  ]);
});

Deno.test("removeHopByHop keeps case, order, repetition and bytes", () => {
  const headers = ["set-COOKIE", "a=1", "X-E", "\xe9\xff", "Set-Cookie", "b=2", "x", ""];
  assert.deepEqual(removeHopByHop(headers), headers);
});

Deno.test("removeFromTrailers drops framing and hop-by-hop fields", () => {
  const trailers = ["Content-Length", "0", "Checksum", "1", "Transfer-Encoding", "chunked", "Host", "x"];
  assert.deepEqual(removeFromTrailers(trailers), ["Checksum", "1"]);
});

Deno.test("addVia appends a line after earlier ones", () => {
  assert.deepEqual(addVia(["Via", "1.0 fred", "A", "b"], "1.1", "sallyport"), [
    ...["Via", "1.0 fred", "A", "b", "Via", "1.1 sallyport"],
  ]);
});

Deno.test("headerValues and listedTokens read every line of a field", () => {
  const headers = ["Foo", "a, B;q=1", "bar", "x", "FOO", "c,"];
  assert.deepEqual(headerValues(headers, "foo"), ["a, B;q=1", "c,"]);
  assert.deepEqual(listedTokens(headers, "foo"), ["a", "b", "c"]);
});
