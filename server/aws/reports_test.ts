import assert from "node:assert/strict";
import type { MetricFigures } from "../../shared/cloud/metric_names.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { Reports } from "./reports.ts";

const QUIET: MetricFigures = {
  UserBytesIn: 0,
  UserBytesOut: 0,
  OpenStreams: 0,
  ConnectedAgents: 1,
  OnlyClient: 0,
  Requests: 0,
  Errors: 0,
};

/** Reports of figures that the test sets; every send is settled by the test. */
function scene() {
  const clock = new ManualClock();
  const log = new LogNotes();
  const sends: {
    figures: Partial<MetricFigures>;
    signal: AbortSignal;
    settle: PromiseWithResolvers<void>;
  }[] = [];
  const state = { figures: QUIET, putBack: [] as MetricFigures[], ending: false };
  const reports = new Reports({
    interval: 60_000,
    clock,
    log,
    take: () => state.figures,
    putBack: (figures) => void state.putBack.push(figures),
    send(figures, _at, signal) {
      const settle = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => settle.reject(signal.reason));
      sends.push({ figures, signal, settle });
      if (state.ending) settle.resolve();
      return settle.promise;
    },
  });
  const answered = async () => {
    sends.at(-1)!.settle.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  return Object.assign(state, { clock, log, sends, reports, answered });
}

/** Stops, with answers to all that is sent from now on. */
async function stop(all: ReturnType<typeof scene>): Promise<void> {
  all.ending = true;
  all.sends.at(-1)!.settle.resolve();
  await all.reports.stop();
  assert.equal(all.clock.timers, 0, "timers left");
}

Deno.test("reports are sent at the start and every interval, one at a time", async () => {
  const all = scene();
  all.reports.start();
  assert.equal(all.sends.length, 1);
  all.clock.advance(9_000);
  await all.answered();
  all.clock.advance(51_000);
  assert.equal(all.sends.length, 2);
  await stop(all);
});

Deno.test("traffic after a quiet report is reported at once, but only the first time", async () => {
  const all = scene();
  all.reports.start();
  await all.answered();
  all.figures = { ...QUIET, OpenStreams: 1 };
  all.reports.active();
  assert.equal(all.sends.length, 2);
  await all.answered();
  all.reports.active();
  assert.equal(all.sends.length, 2);
  await stop(all);
});

Deno.test("traffic that begins while a quiet report is being sent is reported after it", async () => {
  const all = scene();
  all.reports.start();
  all.figures = { ...QUIET, OpenStreams: 1 };
  all.reports.active();
  assert.equal(all.sends.length, 1);
  await all.answered();
  assert.equal(all.sends.length, 2);
  assert.equal(all.sends[1]?.figures.OpenStreams, 1);
  await all.answered();
  await stop(all);
});

Deno.test("agents that connect or disconnect are reported at once, but at most every 5 s", async () => {
  const all = scene();
  all.reports.start();
  await all.answered();
  all.clock.advance(5_000);
  all.reports.changed();
  all.clock.advance(0);
  assert.equal(all.sends.length, 2);
  await all.answered();
  for (let i = 0; i < 100; i++) all.reports.changed();
  all.clock.advance(4_999);
  assert.equal(all.sends.length, 2);
  all.figures = { ...QUIET, ConnectedAgents: 2 };
  all.clock.advance(1);
  assert.equal(all.sends.length, 3);
  assert.equal(all.sends[2]?.figures.ConnectedAgents, 2, "what is true then");
  await all.answered();
  all.reports.changed();
  await stop(all);
});

Deno.test("a change while a report is being sent is reported after it", async () => {
  const all = scene();
  all.reports.start();
  all.reports.changed();
  all.clock.advance(5_000);
  assert.equal(all.sends.length, 1);
  await all.answered();
  assert.equal(all.sends.length, 2);
  await all.answered();
  await stop(all);
});

Deno.test("a report that takes too long is abandoned, its figures are put back, and the failure is logged now and then", async () => {
  const all = scene();
  all.reports.start();
  all.clock.advance(10_000);
  await eventually("it is put back", () => assert.equal(all.putBack.length, 1));
  all.clock.advance(60_000);
  await eventually("the next is put back too", () => assert.equal(all.putBack.length, 2));
  assert.equal(all.log.notes.length, 1, "one line");
  await stop(all);
});

Deno.test("a failed report is retried within seconds, with up-to-date figures", async () => {
  const all = scene();
  all.reports.start();
  all.sends[0]!.settle.reject(new Error("Throttling"));
  await eventually("it is put back", () => assert.equal(all.putBack.length, 1));
  await new Promise((resolve) => setTimeout(resolve, 0));
  all.figures = { ...QUIET, ConnectedAgents: 5 };
  all.clock.advance(5_000);
  assert.equal(all.sends.length, 2);
  assert.equal(all.sends[1]!.figures.ConnectedAgents, 5);
  all.sends[1]!.settle.reject(new Error("Throttling"));
  await eventually("it is put back too", () => assert.equal(all.putBack.length, 2));
  await new Promise((resolve) => setTimeout(resolve, 0));
  all.clock.advance(9_999);
  assert.equal(all.sends.length, 2, "it waits twice as long");
  all.clock.advance(1);
  assert.equal(all.sends.length, 3);
  all.sends[2]!.settle.resolve();
  await eventually("its end is logged", () => {
    assert.deepEqual(all.log.notes.map(({ level }) => level), ["warn", "info"]);
  });
  assert.equal(all.log.notes[1]?.fields["attempts"], 2);
  await stop(all);
});

Deno.test("the last report leaves out the agents: other servers may have some", async () => {
  const all = scene();
  all.reports.start();
  await stop(all);
  const { ConnectedAgents: _agents, OnlyClient: _client, ...rest } = QUIET;
  assert.deepEqual(all.sends.at(-1)!.figures, rest);
});

Deno.test("stopping waits briefly for the current report and the last one", async () => {
  const all = scene();
  all.reports.start();
  const stopped = all.reports.stop();
  all.clock.advance(2_000);
  await eventually("the last report begins", () => assert.equal(all.sends.length, 2));
  all.clock.advance(2_000);
  await stopped;
  assert.equal(all.putBack.length, 2);
  assert.equal(all.clock.timers, 0);
  all.reports.active();
  assert.equal(all.sends.length, 2);
});
