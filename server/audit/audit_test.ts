import assert from "node:assert/strict";
import { createAudit } from "./audit.ts";

const clock = { wallTime: () => Date.UTC(2026, 0, 2, 3, 4, 5) };
const peer = { commonName: "laptop", serial: "0a" };
const from = ["203.0.113.7:40312"];
const session = { from, resumptions: 0 };

Deno.test("audit writes one line of JSON for a successful stream", () => {
  const lines: string[] = [];
  createAudit({ write: (line) => lines.push(line), clock, run: "f0" })(peer, session).end({
    ...{ kind: "connect_request", target: "example.org:443", address: "192.0.2.1" },
    ...{ bytesIn: 10, bytesOut: 20, durationMs: 12.6 },
  });
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [{
    ...{ time: "2026-01-02T03:04:05.000Z", event: "stream", id: "f0-1", client: "laptop" },
    ...{ serial: "0a", from: ["203.0.113.7:40312"], resumptions: 0 },
    ...{ kind: "connect_request", target: "example.org:443", address: "192.0.2.1" },
    ...{ bytes_in: 10, bytes_out: 20, duration_ms: 13, outcome: "ok" },
  }]);
});

Deno.test("audit writes how a stream failed, and stays on one line whatever the client sent", () => {
  const lines: string[] = [];
  createAudit({ write: (line) => lines.push(line), clock })(peer, session).end({
    ...{ kind: "http_request", target: 'a"\n{"event":"x"}:80', bytesIn: 0, bytesOut: 0, durationMs: 1 },
    ...{ code: "target_denied", detail: "Cannot connect (default private)" },
  });
  assert.equal(lines[0]!.includes("\n"), false);
  const line = JSON.parse(lines[0]!);
  assert.deepEqual([line.outcome, line.detail], ["target_denied", "Cannot connect (default private)"]);
});

Deno.test("audit writes the reason that the client gave for its reset into separate fields", () => {
  const lines: string[] = [];
  createAudit({ write: (line) => lines.push(line), clock })(peer, session).end({
    ...{ kind: "connect_request", target: "a.example:443", bytesIn: 0, bytesOut: 0, durationMs: 1 },
    ...{ code: "cancelled", detail: "ours", peerCode: "target_denied", peerMessage: "theirs" },
  });
  const { outcome, detail, peer_code, peer_message } = JSON.parse(lines[0]!);
  assert.deepEqual([outcome, detail, peer_code, peer_message], [
    ...["cancelled", "ours", "target_denied", "theirs"],
  ]);
});

Deno.test("audit escapes everything except printable ASCII in the names of a client", () => {
  const lines: string[] = [];
  const commonName = 'a\0b\nc\u007f\u0085\u2028\u202eJörg 😀\ud800"';
  createAudit({ write: (line) => lines.push(line), clock })({ commonName, serial: "0a" }, session).end({
    ...{ kind: "connect_request", target: "\u202e.example:1", bytesIn: 0, bytesOut: 0, durationMs: 1 },
  });
  assert.match(lines[0]!, /^[\x20-\x7e]+$/);
  assert.equal(JSON.parse(lines[0]!).client, commonName);
});

Deno.test("audit line cannot be forged, split or hidden, whatever a target or a name is made of", () => {
  const nasty = [
    ...[
      '","outcome":"ok","x":"',
      "a\r\nb",
      "a\u2028b\u2029c",
      "\x1b[2J\x9b31m\x7f\x00",
      "\u202egpj.exe",
      "\\",
      "\ud800",
    ],
    "x".repeat(100_000),
  ];
  const lines: string[] = [];
  const audit = createAudit({ write: (line) => lines.push(line), clock });
  for (const text of nasty) {
    audit({ commonName: text, serial: "0a" }, { from: [text], resumptions: 0 }).end({
      ...{ kind: "connect_request", target: text, bytesIn: 0, bytesOut: 0, durationMs: 1 },
      ...{ code: "target_denied", detail: text },
    });
  }
  assert.equal(lines.length, nasty.length);
  for (const [index, line] of lines.entries()) {
    assert.match(line, /^[\x20-\x7e]+$/);
    const { client, target, detail, outcome, event, from } = JSON.parse(line);
    assert.deepEqual([event, outcome], ["stream", "target_denied"]);
    assert.deepEqual([client, target, detail, from[0]], Array(4).fill(nasty[index]));
  }
});

Deno.test("audit writes the progress of a long stream, and joins its two lines by an id", () => {
  const lines: string[] = [];
  const audit = createAudit({ write: (line) => lines.push(line), clock, run: "f0" });
  const [first, second] = [
    audit(peer, session),
    audit(peer, { from: ["203.0.113.7:40312", "[2001:db8::7]:40313"], resumptions: 2 }),
  ];
  const progress = { kind: "connect_request", target: "a.example:443", address: "192.0.2.1" } as const;
  first.open({ ...progress, bytesIn: 1, bytesOut: 2, durationMs: 60_000.4 });
  second.end({ ...progress, bytesIn: 5, bytesOut: 6, durationMs: 7 });
  first.end({ ...progress, bytesIn: 3, bytesOut: 4, durationMs: 90_000, code: "target_reset" });
  const read = lines.map((line) => JSON.parse(line));
  const common = { time: "2026-01-02T03:04:05.000Z", client: "laptop", serial: "0a", ...progress };
  assert.deepEqual(read, [
    {
      ...common,
      event: "open",
      id: "f0-1",
      from,
      resumptions: 0,
      bytes_in: 1,
      bytes_out: 2,
      duration_ms: 60_000,
    },
    {
      ...{ ...common, event: "stream", id: "f0-2", from: ["203.0.113.7:40312", "[2001:db8::7]:40313"] },
      resumptions: 2,
      ...{ bytes_in: 5, bytes_out: 6, duration_ms: 7, outcome: "ok" },
    },
    {
      ...{ ...common, event: "stream", id: "f0-1", from, resumptions: 0 },
      ...{ bytes_in: 3, bytes_out: 4, duration_ms: 90_000, outcome: "target_reset" },
    },
  ]);
});

Deno.test("audit gives streams of two server processes different ids", () => {
  const ids = [0, 1].map(() => {
    let id = "";
    const write = (line: string) => void (id = JSON.parse(line).id);
    createAudit({ write, clock })(peer, session).open({
      ...{ kind: "connect_request", target: "a:1", bytesIn: 0, bytesOut: 0, durationMs: 1 },
    });
    return id;
  });
  assert.match(ids[0]!, /^[0-9a-f]{16}-1$/);
  assert.notEqual(ids[0], ids[1]);
});
