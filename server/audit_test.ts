import assert from "node:assert/strict";
import { createAudit } from "./audit.ts";

const clock = { wallTime: () => Date.UTC(2026, 0, 2, 3, 4, 5) };
const peer = { commonName: "laptop", serial: "0a" };

Deno.test("audit writes one line of JSON for a stream that went well", () => {
  const lines: string[] = [];
  createAudit({ write: (line) => lines.push(line), clock })(peer, {
    ...{ kind: "connect_request", target: "example.org:443", address: "192.0.2.1" },
    ...{ bytesIn: 10, bytesOut: 20, durationMs: 12.6 },
  });
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [{
    ...{ time: "2026-01-02T03:04:05.000Z", event: "stream", client: "laptop", serial: "0a" },
    ...{ kind: "connect_request", target: "example.org:443", address: "192.0.2.1" },
    ...{ bytes_in: 10, bytes_out: 20, duration_ms: 13, outcome: "ok" },
  }]);
});

Deno.test("audit writes how a stream failed, and stays on one line whatever the client sent", () => {
  const lines: string[] = [];
  createAudit({ write: (line) => lines.push(line), clock })(peer, {
    ...{ kind: "http_request", target: 'a"\n{"event":"x"}:80', bytesIn: 0, bytesOut: 0, durationMs: 1 },
    ...{ code: "target_denied", detail: "Cannot connect (default private)" },
  });
  assert.equal(lines[0]!.includes("\n"), false);
  const line = JSON.parse(lines[0]!);
  assert.deepEqual([line.outcome, line.detail], ["target_denied", "Cannot connect (default private)"]);
});

Deno.test("audit writes what the client said of its reset into fields of their own", () => {
  const lines: string[] = [];
  createAudit({ write: (line) => lines.push(line), clock })(peer, {
    ...{ kind: "connect_request", target: "a.example:443", bytesIn: 0, bytesOut: 0, durationMs: 1 },
    ...{ code: "cancelled", detail: "ours", peerCode: "target_denied", peerMessage: "theirs" },
  });
  const { outcome, detail, peer_code, peer_message } = JSON.parse(lines[0]!);
  assert.deepEqual([outcome, detail, peer_code, peer_message], [
    ...["cancelled", "ours", "target_denied", "theirs"],
  ]);
});

Deno.test("audit escapes whatever is not printable ASCII in the names of a client", () => {
  const lines: string[] = [];
  const commonName = 'a\0b\nc\u007f\u0085\u2028\u202eJörg 😀\ud800"';
  createAudit({ write: (line) => lines.push(line), clock })({ commonName, serial: "0a" }, {
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
    audit({ commonName: text, serial: "0a" }, {
      ...{ kind: "connect_request", target: text, bytesIn: 0, bytesOut: 0, durationMs: 1 },
      ...{ code: "target_denied", detail: text },
    });
  }
  assert.equal(lines.length, nasty.length);
  for (const [index, line] of lines.entries()) {
    assert.match(line, /^[\x20-\x7e]+$/);
    const { client, target, detail, outcome, event } = JSON.parse(line);
    assert.deepEqual([event, outcome], ["stream", "target_denied"]);
    assert.deepEqual([client, target, detail], [nasty[index], nasty[index], nasty[index]]);
  }
});
