import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SallyportError } from "../../../shared/errors.ts";
import { encodeHead, encodeRefusal } from "./raw_response.ts";
import { createRefusal } from "./refusal.ts";

Deno.test("encodeHead keeps case, order, repetition and bytes", () => {
  const head = encodeHead(101, "Switching Protocols", ["x-B", "1", "A", "é", "x-B", "2"]);
  assert.equal(
    Buffer.from(head).toString("latin1"),
    "HTTP/1.1 101 Switching Protocols\r\nx-B: 1\r\nA: é\r\nx-B: 2\r\n\r\n",
  );
  assert.equal(Buffer.from(encodeHead(101, "", [])).toString(), "HTTP/1.1 101 \r\n\r\n");
});

Deno.test("encodeHead rejects response splitting", () => {
  const bad: [string, string[]][] = [
    ["a\r\nb", []],
    ["", ["a\r\nb", "c"]],
    ["", ["a", "b\r\nc"]],
    ["", ["", "b"]],
  ];
  for (const [reason, headers] of bad) {
    assert.throws(
      () => encodeHead(101, reason, headers),
      (error) => error instanceof SallyportError && error.code === "target_protocol",
    );
  }
});

Deno.test("encodeRefusal closes the connection after its body", () => {
  const refusal = createRefusal(new SallyportError("target_refused", "refused"));
  const [head = "", body] = Buffer.from(encodeRefusal(refusal)).toString().split("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
  assert.match(head, /\r\nConnection: close$/);
  assert.equal(body, refusal.body);
});
