import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ResponseFilter } from "./response_filter.ts";

const INTERIM = "HTTP/1.1 102 Processing\r\n\r\n";
const FINAL = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

function take(filter: ResponseFilter, text: string): string {
  return filter.take(Buffer.from(text)).map((part) => Buffer.from(part).toString()).join("");
}

Deno.test("response filter passes at most 128 interim responses to the parser, even within one read", () => {
  const filter = new ResponseFilter();
  filter.begin("GET");
  assert.equal(take(filter, INTERIM.repeat(2_000)).length, 128 * INTERIM.length);
  assert.equal(filter.failure?.code, "target_protocol");
  assert.equal(take(filter, INTERIM + FINAL), "");
});

Deno.test("response filter counts interim responses for each request", () => {
  const filter = new ResponseFilter();
  for (let request = 0; request < 3; request++) {
    filter.begin("GET");
    const text = INTERIM.repeat(128) + FINAL;
    assert.equal(take(filter, text).length, text.length);
    assert.equal(filter.failure, undefined);
  }
});
