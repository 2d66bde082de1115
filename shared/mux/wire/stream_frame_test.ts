import assert from "node:assert/strict";
import { readIncoming } from "./incoming.ts";
import { encodeStreamFrame, plainBytes, type StreamFrame } from "./stream_frame.ts";

const encoder = new TextEncoder();
const headers = ["X-Name", 'caf\u00e9 "quoted"'];

const FRAMES: readonly StreamFrame[] = [
  { id: 1, n: 0, message: plainBytes("connect_data"), end: false, trailers: undefined },
  { id: 4_294_967_295, n: 8_191, message: plainBytes("websocket_message"), end: false, trailers: undefined },
  { id: 7, n: 3, message: plainBytes("connect_data"), end: true, trailers: ["a", "b"] },
  {
    id: 2,
    n: 1,
    message: { type: "http_response", payload: { status: 200, reason: "OK", headers } },
    end: true,
    trailers: undefined,
  },
];

for (const frame of FRAMES) {
  Deno.test(`stream frame ${frame.message.type} ${frame.n} is read as it was written (SPEC 4.2)`, () => {
    const read = readIncoming(encoder.encode(encodeStreamFrame(frame)));
    assert.deepEqual(read, { kind: "stream", ...frame });
  });
}

Deno.test("stream frame of plain bytes is written as a JSON serialiser would", () => {
  const { id, n, message } = FRAMES[0]!;
  const json = JSON.stringify({ type: message.type, payload: { stream: id, n } });
  assert.equal(encodeStreamFrame(FRAMES[0]!), json);
});
