import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import {
  dataTypeOf,
  isOpening,
  isSessionType,
  isStreamType,
  readSessionMessage,
  readStreamFrame,
  readStreamMessage,
  type SessionType,
  type StreamType,
} from "./messages.ts";

const SESSION: [SessionType, object][] = [
  ["hello", { version: 2, software: "s/1", window: 16_777_216, max_streams: 0, id: "agent" }],
  ["hello", { version: 2, software: "", window: 1, max_streams: 4096 }],
  ["hello", { version: 2, software: "", window: 1, max_streams: 1, session: "0a".repeat(16), join: true }],
  ["hello", { version: 2, software: "", window: 1, max_streams: 1, session: "0a".repeat(16), link: 1 }],
  ["window", { stream: 1, total: 1 }],
  ["ack", { bytes: 0 }],
  ["reset", { stream: 2, code: "internal", message: "why" }],
  ["reset", { stream: 2, code: "a_code_of_a_later_version" }],
  ["ping", { nonce: 0 }],
  ["pong", { nonce: Number.MAX_SAFE_INTEGER }],
  ["goaway", { code: "going_away", last_stream: 0 }],
  ["status", { agents: 1, streams: 2 }],
];

const target = { host: "::1", port: 65_535 };
const STREAM: [StreamType, object][] = [
  ["connect_request", target],
  ["connect_ack", {}],
  ["connect_ack", { error: { code: "dns_error", message: "no such name" } }],
  ["connect_data", {}],
  ["http_request", { method: "PROPFIND", ...target, path: "/", headers: ["A", "1"] }],
  ["http_response", { status: 100, reason: "", headers: [] }],
  ["http_response", { error: { code: "target_refused", message: "" } }],
  ["websocket_open", { ...target, path: "/chat?x=1", headers: [] }],
  ["websocket_ack", { status: 101, reason: "Switching Protocols", headers: ["Upgrade", "websocket"] }],
  ["websocket_message", {}],
  ["websocket_close", {}],
];

function assertViolation(act: () => unknown, message: RegExp): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof SallyportError, String(error));
    assert.equal(error.code, "protocol_violation");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("messages of the session keep their members and drop others (SPEC 3)", () => {
  for (const [type, payload] of SESSION) {
    assert.deepEqual(readSessionMessage(type, { ...payload, unnamed: 1 }), { type, payload });
    assert.ok(isSessionType(type) && !isStreamType(type), type);
  }
});

Deno.test("messages of a stream keep their members and drop others (SPEC 4.2)", () => {
  for (const [type, payload] of STREAM) {
    assert.deepEqual(readStreamMessage(type, { ...payload, stream: 1, n: 0, end: true }), { type, payload });
    assert.ok(isStreamType(type) && !isSessionType(type), type);
  }
});

Deno.test("messages refuse a missing member", () => {
  const optional = new Set(["id", "message", "session", "link", "join"]);
  for (const [type, payload] of [...SESSION, ...STREAM]) {
    for (
      const name of Object.keys(payload).filter((each) => !optional.has(each))
    ) {
      if (type === "connect_ack") continue;
      const rest = Object.fromEntries(Object.entries(payload).filter(([each]) => each !== name));
      const read = () => isSessionType(type) ? readSessionMessage(type, rest) : readStreamMessage(type, rest);
      assertViolation(read, new RegExp(`^Cannot read ${type}(\\.${name})?: `));
    }
  }
});

Deno.test("messages refuse numbers out of the ranges of SPEC 3.1, 4.2 and 5.1", () => {
  const hello = { version: 2, software: "s", window: 1, max_streams: 0 };
  assertViolation(() => readSessionMessage("hello", { ...hello, window: 0 }), /window: 0 is not in/);
  assertViolation(
    () => readSessionMessage("hello", { ...hello, window: 16_777_217 }),
    /is not in 1\.\.16777216/,
  );
  assertViolation(() => readSessionMessage("window", { stream: 0, total: 1 }), /stream: 0 is not in/);
  assertViolation(() => readSessionMessage("window", { stream: 1, total: 0 }), /total: 0 is not in/);
  assertViolation(() => readSessionMessage("ack", { bytes: -1 }), /bytes: -1 is not in/);
  for (const port of [0, 65_536, 80.5]) {
    assertViolation(
      () => readStreamMessage("connect_request", { host: "a", port }),
      /^Cannot read connect_request\.port/,
    );
  }
  for (const status of [99, 1000]) {
    const head = { status, reason: "", headers: [] };
    assertViolation(() => readStreamMessage("http_response", head), /status: \d+ is not in 100\.\.999/);
  }
});

Deno.test("messages refuse a hello of another version whatever else it contains (SPEC 3.1)", () => {
  for (const payload of [{ version: 0 }, { version: 1, window: "wide" }, { version: 3 }]) {
    assert.throws(() => readSessionMessage("hello", payload), { code: "version_unsupported" });
  }
  assertViolation(() => readSessionMessage("hello", { version: "1" }), /version: expected a whole number/);
});

Deno.test("messages refuse in hello what does not name a session or a link (SPEC 3.6)", () => {
  const hello = { version: 2, software: "s", window: 1, max_streams: 0 };
  const good = "0123456789abcdef".repeat(2);
  for (const session of ["", good.slice(1), `${good}0`, good.toUpperCase(), `${good.slice(1)}g`, 7, null]) {
    assertViolation(
      () => readSessionMessage("hello", { ...hello, session }),
      /^Cannot read hello\.session: /,
    );
  }
  for (const join of ["true", 1, null]) {
    assertViolation(() => readSessionMessage("hello", { ...hello, join }), /^Cannot read hello\.join: /);
  }
  for (const link of [0, 1.5, "1", null]) {
    assertViolation(() => readSessionMessage("hello", { ...hello, link }), /^Cannot read hello\.link: /);
  }
});

Deno.test("messages of a stream have stream, n, end and trailers (SPEC 4.2)", () => {
  const frame = { stream: 3, n: 8, end: true, trailers: ["X-Sum", "1"] };
  assert.deepEqual(readStreamFrame("connect_data", { ...frame, other: 1 }), frame);
  assert.deepEqual(readStreamFrame("connect_data", { stream: 3, n: 0 }), { stream: 3, n: 0 });
  for (const stream of [undefined, 0, -1, 1.5, "1", null]) {
    assertViolation(
      () => readStreamFrame("connect_data", { stream, n: 0 }),
      /^Cannot read connect_data\.stream: /,
    );
  }
  for (const n of [undefined, -1, 1.5, "1", null]) {
    assertViolation(
      () => readStreamFrame("connect_data", { stream: 1, n }),
      /^Cannot read connect_data\.n: /,
    );
  }
  assertViolation(() => readStreamFrame("connect_data", { stream: 1, n: 0, trailers: ["x"] }), /trailers: /);
});

Deno.test("messages accept only true or false for end (SPEC 4.2)", () => {
  assert.equal(readStreamFrame("connect_data", { stream: 1, n: 0, end: false }).end, false);
  for (const end of ["yes", 1, 0, null, []]) {
    assertViolation(
      () => readStreamFrame("connect_data", { stream: 1, n: 0, end }),
      /end: expected a boolean/,
    );
  }
});

Deno.test("messages that answer have a complete head, or an error alone (SPEC 4.2)", () => {
  const head = { status: 200, reason: "", headers: [] };
  const error = { code: "dns_error", message: "" };
  for (const type of ["http_response", "websocket_ack"] as const) {
    const { reason: _, ...part } = head;
    for (const payload of [{}, part, { ...head, error }, { status: 200, error }]) {
      assertViolation(
        () => readStreamMessage(type, payload),
        /expected status, reason and headers, or error alone/,
      );
    }
  }
});

Deno.test("messages refuse an empty host, method and path (SPEC 4.2)", () => {
  const request = { method: "GET", ...target, path: "/", headers: [] };
  for (const name of ["host", "method", "path"]) {
    const act = () => readStreamMessage("http_request", { ...request, [name]: "" });
    assertViolation(act, new RegExp(`${name}: length 0 is not in 1`));
  }
});

Deno.test("messages refuse text that could end a line of HTTP and start another (SPEC 4.2)", () => {
  const request = { method: "GET", ...target, path: "/", headers: [] };
  const bad: Record<string, string[]> = {
    host: [
      "a b",
      "a@b",
      "a/b",
      "a#b",
      "a?b",
      "a\\b",
      "[::1]",
      "a\r\nX: y",
      "a\0",
      "a\t",
      "\u00e9.test",
      "a\u2028",
      "a\n",
    ],
    path: [
      ...["/ HTTP/1.1\r\nX: y", "/a b", "/a\tb", "/\0", "/\x7f", "/\u00e9", "/\u0100", "/a\n"],
      ...["x", "a.test:80", "http://a.test/", "*/", "?q"],
    ],
    method: ["G T", "GET /x HTTP/1.1\r\nX:", "GET\n", "G\0", "G\u00e9", "GET,", '"GET"', "G/T"],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      const act = () => readStreamMessage("http_request", { ...request, [name]: value });
      assertViolation(act, new RegExp(`^Cannot read http_request\\.${name}: expected [^\\r\\n]*$`));
    }
  }
  const { method: _, ...opening } = request;
  for (const path of bad["path"]!) {
    assertViolation(
      () => readStreamMessage("websocket_open", { ...opening, path }),
      /websocket_open\.path: /,
    );
  }
  for (const host of bad["host"]!) {
    assertViolation(() => readStreamMessage("connect_request", { host, port: 1 }), /connect_request\.host: /);
  }
});

Deno.test("messages of an answer have a reason without control characters (SPEC 2.6)", () => {
  for (const type of ["http_response", "websocket_ack"] as const) {
    const read = (reason: string) => readStreamMessage(type, { status: 200, reason, headers: [] });
    for (const reason of ["", "Not Found", "\u00e9\u00ff\t"]) {
      assert.deepEqual(read(reason).payload, { status: 200, reason, headers: [] });
    }
    for (const reason of ["OK\r\nX: y", "O\nK", "O\0K", "\x1b[31m", "\x7f", "\u0100"]) {
      assertViolation(() => read(reason), /reason: expected bytes without control characters$/);
    }
  }
});

Deno.test("messages accept valid hosts, paths and methods (SPEC 4.2)", () => {
  const request = { method: "GET", ...target, path: "/", headers: [] };
  const good = {
    host: ["a", "A-b_c.example.", "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1", "fe80::1%eth0"],
    path: ["/", "*", '/a/../b%2f?q=%20&r=[]{}|\\^`"<>~', "//x"],
    method: ["GET", "get", "M-SEARCH", "!#$%&'*+-.^_`|~0"],
  };
  for (const [name, values] of Object.entries(good)) {
    for (const value of values) {
      assert.deepEqual(readStreamMessage("http_request", { ...request, [name]: value }).payload, {
        ...request,
        [name]: value,
      });
    }
  }
});

Deno.test("messages that open a stream are the three of SPEC 4.2", () => {
  const opening = STREAM.map(([type, payload]) => readStreamMessage(type, payload)).filter(isOpening);
  assert.deepEqual(opening.map(({ type }) => type), ["connect_request", "http_request", "websocket_open"]);
  assert.equal(dataTypeOf("connect_request"), "connect_data");
  assert.equal(dataTypeOf("http_request"), "connect_data");
  assert.equal(dataTypeOf("websocket_open"), "websocket_message");
});

Deno.test("messages have no types with the names of object members", () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", ""]) {
    assert.equal(isSessionType(name), false, name);
    assert.equal(isStreamType(name), false, name);
  }
});
