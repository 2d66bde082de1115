import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { eventually } from "../../../tests/support/eventually.ts";
import { Forwarding, responseOf } from "../../../tests/support/origins/forwarding.ts";
import { readUntil } from "../../../tests/support/origins/socket_origin.ts";
import { ResponseFilter } from "./response_filter.ts";

const PADDING = 50_000;
const FIELD = `X: ${"x".repeat(PADDING)}\r\n`;

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const LAST = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/** Heads or trailers without their end, and the end. */
const ANSWERS: readonly (readonly [string, string])[] = [
  [`HTTP/1.1 200 OK\r\n${FIELD}`, "Content-Length: 0\r\n\r\n"],
  [`HTTP/1.1 103 Early Hints\r\n${FIELD}`, `\r\n${LAST}`],
  [`${CHUNKED}0\r\n${FIELD}`, "\r\n"],
];

Deno.test("bytes that wait for the end of a head or of trailers are charged until it arrives", () => {
  for (const [first, rest] of ANSWERS) {
    const filter = new ResponseFilter();
    filter.begin("GET");
    let counted = 0;
    // Some may have come before.
    filter.take(Buffer.from(first.slice(0, 100)));
    filter.chargeTo((bytes) => counted += bytes);
    // Byte by byte, they do not use more memory than allowed.
    for (const byte of Buffer.from(first.slice(100))) filter.take(Uint8Array.of(byte));
    assert.ok(counted >= PADDING && counted <= 131_072, `${counted}`);
    filter.take(Buffer.from(rest));
    assert.equal(counted, 0);
    assert.equal(filter.failure, undefined);
  }
});

Deno.test("a new exchange is not charged for the one before", () => {
  const filter = new ResponseFilter();
  filter.begin("GET");
  let counted = 0;
  filter.chargeTo((bytes) => counted += bytes);
  filter.take(Buffer.from(ANSWERS[0]![0]));
  filter.begin("GET");
  assert.equal(counted, 0);
  filter.take(Buffer.from(ANSWERS[0]![0]));
  assert.equal(counted, 0);
});

Deno.test("bytes of a head that wait for its end are charged to the stream, also on a reused connection", () =>
  Forwarding.run(async (forwarding) => {
    const target = forwarding.origin.next();
    for (let i = 0; i < 2; i++) {
      const near = await forwarding.http({});
      await readUntil(await target, (text) => text.includes("\r\n\r\n"));
      const far = forwarding.far!;
      const before = far.held;
      const [first, rest] = ANSWERS[0]!;
      (await target).write(first);
      await eventually("the bytes are counted", () => assert.ok(far.held - before >= PADDING, `${far.held}`));
      (await target).write(rest);
      await responseOf(near);
    }
    assert.equal(forwarding.origin.accepted, 1);
  }));

Deno.test("bytes of a WebSocket's head that wait for its end are charged to the stream", () =>
  Forwarding.run(async (forwarding) => {
    const headers = ["Host", "a.example", "Upgrade", "websocket", "Connection", "Upgrade"];
    const payload = { host: "a.example", port: forwarding.origin.port, path: "/", headers };
    const near = await forwarding.open({ type: "websocket_open", payload });
    const target = await forwarding.origin.next();
    await readUntil(target, (text) => text.includes("\r\n\r\n"));
    const far = forwarding.far!;
    const before = far.held;
    target.write(`HTTP/1.1 403 Forbidden\r\n${FIELD}`);
    await eventually("the bytes are counted", () => assert.ok(far.held - before >= PADDING, `${far.held}`));
    target.end("Content-Length: 0\r\n\r\n");
    near.end();
    await responseOf(near);
  }));
