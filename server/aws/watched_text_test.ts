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
    await eventually("the next read is planned", () => assert.equal(clock.timers, 1));
  };
  return Object.assign(state, { clock, log, watched, next });
}

Deno.test("a text is read again every interval, and a change is told once", async () => {
  const all = await scene();
  await all.next("first");
  await all.next("second");
  await all.next("second");
  assert.deepEqual(all.changes, ["second"]);
  await all.watched.close();
  assert.equal(all.clock.timers, 0);
});

Deno.test("a text that cannot be read, or not in time, stays what it was, and the log says so", async () => {
  const all = await scene();
  await all.next(new Error("throttled"));
  await all.next(undefined);
  assert.equal(all.watched.current, "first");
  assert.deepEqual(all.changes, []);
  const reasons = all.log.notes.map(({ fields }) => String(fields["reason"]));
  assert.match(reasons[0]!, /throttled/);
  assert.match(reasons[1]!, /Cannot read it: it takes too long/);
  await all.watched.close();
});

Deno.test("closing ends a read that is under way, without a complaint", async () => {
  const all = await scene();
  all.text = undefined;
  all.clock.advance(60_000);
  await all.watched.close();
  assert.deepEqual(all.log.notes, []);
  assert.equal(all.clock.timers, 0);
});
