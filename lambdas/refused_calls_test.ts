import assert from "node:assert/strict";
import { LogNotes } from "../tests/support/log_notes.ts";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { RefusedCalls } from "./refused_calls.ts";

Deno.test("refused calls are logged once a minute, with the number of those between", () => {
  const [clock, log] = [new ManualClock(), new LogNotes()];
  const refused = new RefusedCalls(clock, log);
  for (let call = 0; call < 100; call++) refused.add({ reason: `reason ${call}` });
  clock.advance(60_000);
  refused.add({ reason: "late" });
  assert.deepEqual(log.notes.map(({ message, fields }) => [message, fields]), [
    ["call refused", { reason: "reason 0", unlogged: 0 }],
    ["call refused", { reason: "late", unlogged: 99 }],
  ]);
});
