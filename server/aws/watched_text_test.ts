import assert from "node:assert/strict";
import { eventually } from "../../tests/support/eventually.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { WatchedText } from "./watched_text.ts";

/** A text that the test sets; an error stands for a read that fails, undefined for one that hangs. */
async function scene() {
  const clock = new ManualClock();
  const log = new LogNotes();
  const state = { text: "first" as string | Error | undefined, reads: 0, changes: [] as string[] };
  const read = (signal: AbortSignal): Promise<string> => {
    state.reads++;
    const { text } = state;
    if (typeof text === "string") return Promise.resolve(text);
    if (text !== undefined) return Promise.reject(text);
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  const onChange = () => void state.changes.push(watched.current);
  const watched: WatchedText = await WatchedText.open({
    name: "it",
    interval: 60_000,
    clock,
    log,
    read,
    onChange,
  });
  const next = async (text: string | Error | undefined) => {
    state.text = text;
    const { reads } = state;
    clock.advance(60_000);
    assert.equal(state.reads, reads + 1);
    if (text === undefined) clock.advance(10_000);
    // While a read is in progress its deadline is a timer too.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await eventually("the next read is scheduled", () => assert.equal(clock.timers, 1));
  };
  return Object.assign(state, { clock, log, watched, next });
}

Deno.test("a text is read again every interval, and a change is reported once", async () => {
  const all = await scene();
  await all.next("first");
  await all.next("second");
  await all.next("second");
  assert.deepEqual(all.changes, ["second"]);
  await all.watched.close();
  assert.equal(all.clock.timers, 0);
});

Deno.test("a text that cannot be read in time is kept as it was, and the failure is logged", async () => {
  const all = await scene();
  await all.next(new Error("throttled"));
  await all.next(undefined);
  assert.equal(all.watched.current, "first");
  assert.deepEqual(all.changes, []);
  const reasons = all.log.notes.map(({ fields }) => String(fields["error"]));
  assert.match(reasons[0]!, /throttled/);
  assert.match(reasons[1]!, /Cannot read it: no answer within 10000 ms/);
  await all.watched.close();
});

Deno.test("closing ends a read in progress, and logs nothing", async () => {
  const all = await scene();
  all.text = undefined;
  all.clock.advance(60_000);
  await all.watched.close();
  assert.deepEqual(all.log.notes, []);
  assert.equal(all.clock.timers, 0);
});

Deno.test("reads that keep failing are logged now and then, and so is the recovery", async () => {
  const all = await scene();
  for (let minute = 0; minute < 12; minute++) await all.next(new Error("throttled"));
  await all.next("first");
  assert.deepEqual(all.log.take(), [
    "error: read failed, last text kept",
    "error: read failed, last text kept",
    "info: read recovered",
  ]);
  await all.watched.close();
});
