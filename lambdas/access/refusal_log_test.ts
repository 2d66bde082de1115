import assert from "node:assert/strict";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { AuthenticationError, RequestError } from "./call_verifier.ts";
import { RefusalLog } from "./refusal_log.ts";

Deno.test("refused calls of a kind are logged once a minute, with the number of those between", () => {
  const [clock, log] = [new ManualClock(), new LogNotes()];
  const refused = new RefusalLog(clock, log);
  for (let call = 0; call < 100; call++) refused.add(new AuthenticationError("claims", `reason ${call}`));
  clock.advance(60_000);
  refused.add(new AuthenticationError("claims", "late"), { action: "wake" });
  assert.deepEqual(log.notes.map(({ message, fields }) => [message, fields]), [
    ["call refused", { code: "claims", error: "reason 0", unlogged: 0 }],
    ["call refused", { action: "wake", code: "claims", error: "late", unlogged: 99 }],
  ]);
});

Deno.test("frequent refusals of one kind do not hide those of another", () => {
  const [clock, log] = [new ManualClock(), new LogNotes()];
  const refused = new RefusalLog(clock, log);
  for (let call = 0; call < 100; call++) refused.add(new AuthenticationError("token", "no token"));
  refused.add(new AuthenticationError("certificate_expired", "it expired"));
  for (let call = 0; call < 100; call++) refused.add(new RequestError("too_many", "too often"));
  assert.deepEqual(log.notes.map(({ message, fields }) => `${message}: ${fields["error"]}`), [
    "call refused: no token",
    "call refused: it expired",
    "call refused: too often",
  ]);
});
