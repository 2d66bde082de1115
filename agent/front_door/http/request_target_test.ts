import assert from "node:assert/strict";
import { RequestError } from "../refusals/request_error.ts";
import { parseRequestTarget } from "./request_target.ts";

const read = (text: string, method = "GET") => parseRequestTarget(method, text, ["http"]);

Deno.test("parseRequestTarget keeps path and query as written", () => {
  assert.deepEqual(read("http://a.test/b/../c%2f?d=%20e//f"), {
    host: "a.test",
    port: 80,
    authority: "a.test",
    path: "/b/../c%2f?d=%20e//f",
  });
  assert.equal(read("http://a.test/x#fragment").path, "/x");
  assert.equal(read("HTTP://a.test:8080/").port, 8080);
  assert.equal(read("http://[2001:db8::1]:81/").host, "2001:db8::1");
});

Deno.test("parseRequestTarget gives an empty path its origin form", () => {
  assert.equal(read("http://a.test").path, "/");
  assert.equal(read("http://a.test?q").path, "/?q");
  assert.equal(read("http://a.test", "OPTIONS").path, "*");
  assert.equal(read("http://a.test/", "OPTIONS").path, "/");
});

Deno.test("parseRequestTarget rejects with a status and a reason", () => {
  const cases: [string, 400 | 501, RegExp][] = [
    ["/", 400, /this is a proxy/],
    ["*", 400, /this is a proxy/],
    ["a.test:80", 400, /this is a proxy/],
    ["https://a.test/", 501, /CONNECT/],
    ["ftp://a.test/", 501, /only http/],
    ["ws://a.test/", 501, /only http/],
    ["http://user:secret@a.test/", 400, /user information/],
    ["http:///path", 400, /host is missing/],
    ["http://a.test:0/", 400, /port/],
  ];
  for (const [text, status, message] of cases) {
    assert.throws(() => read(text), (error) => {
      assert.ok(error instanceof RequestError, text);
      assert.equal(error.rule.status, status, text);
      assert.equal(error.code, "bad_request");
      assert.match(error.message, message);
      return true;
    });
  }
});
