/** Any JSON of a frame is read as a checked message, or is a `protocol_violation`. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { SallyportError } from "../../shared/errors.ts";
import { type Incoming, readIncoming } from "../../shared/mux/wire/incoming.ts";
import { isSessionType, isStreamType } from "../../shared/protocol/messages.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";

const TYPES = [
  ...["hello", "window", "ack", "reset", "ping", "pong", "goaway", "status"],
  ...["connect_request", "connect_ack", "connect_data", "http_request", "http_response"],
  ...["websocket_open", "websocket_ack", "websocket_message", "websocket_close"],
];
const NAMES = [
  ...["stream", "end", "trailers", "bytes", "code", "message", "nonce", "last_stream", "agents", "streams"],
  ...["version", "software", "window", "max_streams", "id", "host", "port", "method", "path", "headers"],
  ...["status", "reason", "error", "__proto__", "constructor", "toString", "hasOwnProperty"],
];

const value = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    1,
    2,
    -1,
    1.5,
    2 ** 53,
    443,
    200,
    101,
    true,
    false,
    null,
    "",
    "a",
    "\r\n",
    "\0",
  ),
  fc.constantFrom<unknown>([], ["a"], ["a", "b"], ["a", 1], { code: "internal", message: "x" }, {}),
  fc.jsonValue({ maxDepth: 2 }),
);
/** Members as text, so that names can occur twice and `__proto__` is an ordinary name. */
const members = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 6 })), value), {
  maxLength: 9,
});
const object = members.map((list) =>
  `{${list.map(([name, each]) => `${JSON.stringify(name)}:${JSON.stringify(each)}`).join(",")}}`
);
const type = fc.oneof(fc.constantFrom(...TYPES), fc.constantFrom(...NAMES), fc.string({ maxLength: 5 }));
const envelope = fc.tuple(type, object).map(([name, payload]) =>
  `{"type":${JSON.stringify(name)},"payload":${payload}}`
);
const json = fc.oneof(
  { weight: 8, arbitrary: envelope },
  { weight: 1, arbitrary: object },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
);

/** Reads JSON; undefined for what SPEC.md says to refuse. */
function read(bytes: Uint8Array): Incoming | undefined {
  try {
    return readIncoming(bytes);
  } catch (error) {
    assert.ok(error instanceof SallyportError, `not a SallyportError: ${error}`);
    assert.match(error.code, /^(protocol_violation|version_unsupported)$/);
    assert.match(error.message, /^Cannot [^\n]+[^.]$/);
    return undefined;
  }
}

function assertValid(incoming: Incoming): void {
  if (incoming.kind === "unknown") {
    assert.ok(!isSessionType(incoming.type) && !isStreamType(incoming.type));
    assert.ok(incoming.id === undefined || Number.isSafeInteger(incoming.id) && incoming.id > 0);
    return;
  }
  const { type, payload } = incoming.message;
  assert.ok(incoming.kind === "session" ? isSessionType(type) : isStreamType(type));
  assert.ok([Object.prototype, null].includes(Object.getPrototypeOf(payload)), "an ordinary prototype");
  if (incoming.kind === "stream") {
    assert.ok(Number.isSafeInteger(incoming.id) && incoming.id > 0);
    assert.equal(typeof incoming.end, "boolean");
    for (const text of incoming.trailers ?? []) assert.equal(typeof text, "string");
  }
  const { host, port } = payload as { host?: unknown; port?: unknown };
  assert.equal(typeof host, port === undefined ? "undefined" : "string");
}

fuzz("envelopes are read as valid messages or refused (SPEC 2.3)", [json], (text) => {
  const incoming = read(new TextEncoder().encode(text));
  if (incoming !== undefined) assertValid(incoming);
  assert.equal(({} as Record<string, unknown>)["nonce"], undefined, "no prototype was changed");
}, { share: 0.35 });

fuzz("envelopes of any bytes are read or refused (SPEC 2.3)", [
  fc.uint8Array({ maxLength: 60 }),
  envelope,
  fc.nat(200),
], (bytes, text, at) => {
  read(bytes);
  const broken = new TextEncoder().encode(text);
  broken.set(bytes.subarray(0, Math.max(0, broken.length - at)), Math.min(at, broken.length));
  const incoming = read(broken);
  if (incoming !== undefined) assertValid(incoming);
}, { share: 0.2 });
