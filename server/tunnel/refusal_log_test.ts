import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import { Fault } from "../../shared/tls/fault.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { RefusalLog } from "./refusal_log.ts";

const STRANGER = new SallyportError("peer_rejected", "Cannot let the peer in: it presented no certificate");

/** A log on a clock of the test's, and the messages that it wrote, with their counts. */
function refusalLog(limit?: number) {
  const clock = new ManualClock();
  const lines: [string, unknown][] = [];
  const log = { warn: (message: string, fields = {}) => void lines.push([message, fields]) };
  return { clock, lines, refused: new RefusalLog({ log, clock, ...(limit === undefined ? {} : { limit }) }) };
}

Deno.test("a refusal is logged with who, which code and why", () => {
  const { lines, refused } = refusalLog();
  refused.add(STRANGER, "192.0.2.1");
  assert.deepEqual(lines, [[
    "agent refused",
    { remote: "192.0.2.1", code: "peer_rejected", reason: STRANGER.message },
  ]]);
  refused.flush();
});

Deno.test("refusals beyond the limit of a minute are counted, and told at its end", () => {
  const { clock, lines, refused } = refusalLog(4);
  for (let i = 0; i < 7; i++) refused.add(STRANGER, "192.0.2.1");
  assert.deepEqual(lines.map(([message]) => message), ["agent refused", "agent refused"]);
  clock.advance(60_000);
  assert.deepEqual(lines.at(-1), ["more agents refused, not logged one by one", {
    count: 5,
    kinds: "peer_rejected 5",
  }]);
  refused.add(STRANGER, "192.0.2.2");
  assert.equal(lines.at(-1)?.[0], "agent refused");
  clock.advance(60_000);
  assert.equal(lines.length, 4, "nothing was left out in the second minute");
  assert.equal(clock.timers, 0);
});

Deno.test("noise of one kind hides no refusal of another", () => {
  const { lines, refused } = refusalLog(4);
  for (let i = 0; i < 100; i++) refused.add(STRANGER, "192.0.2.1");
  for (let i = 0; i < 100; i++) refused.add(new SallyportError("tunnel_down", "no TLS"), "192.0.2.1");
  const revoked = new Fault("revoked", "was revoked").rejection("Cannot let the peer in: it was revoked");
  refused.add(revoked, "192.0.2.2");
  assert.deepEqual(lines.at(-1)?.[1], {
    remote: "192.0.2.2",
    code: "peer_rejected",
    reason: "Cannot let the peer in: it was revoked",
  });
  refused.flush();
  assert.deepEqual(lines.at(-1)?.[1], { count: 196, kinds: "peer_rejected 98, tunnel_down 98" });
});

Deno.test("what was counted is told when the server stops, and no timer stays", () => {
  const { clock, lines, refused } = refusalLog(0);
  refused.add(STRANGER, "192.0.2.1");
  refused.flush();
  assert.deepEqual(lines, [["more agents refused, not logged one by one", {
    count: 1,
    kinds: "peer_rejected 1",
  }]]);
  assert.equal(clock.timers, 0);
});

Deno.test("noise of one address leaves lines of the same kind to others", () => {
  const { lines, refused } = refusalLog(4);
  for (let i = 0; i < 100; i++) refused.add(STRANGER, "2001:db8::" + i.toString(16));
  assert.equal(lines.length, 2, "a /64 is one address");
  refused.add(STRANGER, "192.0.2.2");
  assert.deepEqual(lines.at(-1)?.[1], {
    remote: "192.0.2.2",
    code: "peer_rejected",
    reason: STRANGER.message,
  });
  refused.flush();
  assert.deepEqual(lines.at(-1)?.[1], { count: 98, kinds: "peer_rejected 98" });
});
