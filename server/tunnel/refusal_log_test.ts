import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import { CertificateProblem } from "../../shared/pki/certificate_problem.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { RefusalLog } from "./refusal_log.ts";

const STRANGER = new SallyportError("peer_rejected", "Cannot accept the peer: it presented no certificate");

/** A log on a manual clock, and the lines that it wrote. */
function refusalLog(limit?: number) {
  const clock = new ManualClock();
  const lines: [string, unknown][] = [];
  const log = { warn: (message: string, fields = {}) => void lines.push([message, fields]) };
  return { clock, lines, refused: new RefusalLog({ log, clock, ...(limit === undefined ? {} : { limit }) }) };
}

Deno.test("a refusal is logged with the address, the code and the error", () => {
  const { lines, refused } = refusalLog();
  refused.add(STRANGER, "192.0.2.1");
  assert.deepEqual(lines, [[
    "agent refused",
    { from: "192.0.2.1", code: "peer_rejected", error: STRANGER.message },
  ]]);
  refused.flush();
});

Deno.test("refusals beyond the limit of a minute are counted, and logged at its end", () => {
  const { clock, lines, refused } = refusalLog(4);
  for (let i = 0; i < 7; i++) refused.add(STRANGER, "192.0.2.1");
  assert.deepEqual(lines.map(([message]) => message), ["agent refused", "agent refused"]);
  clock.advance(60_000);
  assert.deepEqual(lines.at(-1), ["further refusals not logged one by one", {
    refusals: 5,
    kinds: "peer_rejected 5",
  }]);
  refused.add(STRANGER, "192.0.2.2");
  assert.equal(lines.at(-1)?.[0], "agent refused");
  clock.advance(60_000);
  assert.equal(lines.length, 4, "nothing was left out in the second minute");
  assert.equal(clock.timers, 0);
});

Deno.test("frequent refusals of one kind do not hide those of another", () => {
  const { lines, refused } = refusalLog(4);
  for (let i = 0; i < 100; i++) refused.add(STRANGER, "192.0.2.1");
  for (let i = 0; i < 100; i++) refused.add(new SallyportError("tunnel_down", "no TLS"), "192.0.2.1");
  const revoked = new CertificateProblem("revoked", "was revoked").toError(
    "Cannot accept the peer: it was revoked",
  );
  refused.add(revoked, "192.0.2.2");
  assert.deepEqual(lines.at(-1)?.[1], {
    from: "192.0.2.2",
    code: "peer_rejected",
    error: "Cannot accept the peer: it was revoked",
  });
  refused.flush();
  assert.deepEqual(lines.at(-1)?.[1], { refusals: 196, kinds: "peer_rejected 98, tunnel_down 98" });
});

Deno.test("counted refusals are logged when the server stops, and no timer is left", () => {
  const { clock, lines, refused } = refusalLog(0);
  refused.add(STRANGER, "192.0.2.1");
  refused.flush();
  assert.deepEqual(lines, [["further refusals not logged one by one", {
    refusals: 1,
    kinds: "peer_rejected 1",
  }]]);
  assert.equal(clock.timers, 0);
});

Deno.test("one busy address leaves lines of the same kind to others", () => {
  const { lines, refused } = refusalLog(4);
  for (let i = 0; i < 100; i++) refused.add(STRANGER, "2001:db8::" + i.toString(16));
  assert.equal(lines.length, 2, "a /64 is one address");
  refused.add(STRANGER, "192.0.2.2");
  assert.deepEqual(lines.at(-1)?.[1], {
    from: "192.0.2.2",
    code: "peer_rejected",
    error: STRANGER.message,
  });
  refused.flush();
  assert.deepEqual(lines.at(-1)?.[1], { refusals: 98, kinds: "peer_rejected 98" });
});
