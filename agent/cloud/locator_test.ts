import assert from "node:assert/strict";
import type { Action } from "../../shared/cloud/call.ts";
import type { FleetStatus } from "../../shared/cloud/fleet_status.ts";
import { SallyportError } from "../../shared/errors.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import { within } from "../../tests/support/within.ts";
import type { CallResult } from "./fleet_client.ts";
import { Locator } from "./locator.ts";
import { Servers } from "./servers.ts";

const RUNNING: FleetStatus = { state: "running", servers: [{ ip: "192.0.2.1", port: 443 }] };
const STARTING: FleetStatus = { state: "starting", servers: [] };
const STOPPED: FleetStatus = { state: "stopped", servers: [] };
const never = new AbortController().signal;
const answered = (status: FleetStatus): CallResult => ({ kind: "answered", status });
const passing = (retryInMs = 0): CallResult => {
  return { kind: "retryable", error: new SallyportError("tunnel_down", "throttled"), retryInMs };
};

/** A locator whose calls get the given answers in turn, then the last one again; waits take no time. */
function scene(outcomes: CallResult[], { canQuery = true, wakeTimeout = 180_000 } = {}) {
  const clock = new ManualClock();
  const calls: Action[] = [];
  const waits: number[] = [];
  const servers = new Servers();
  const log = new LogNotes();
  const impatient = {
    now: () => clock.now(),
    wallTime: () => clock.wallTime(),
    after(ms: number, callback: () => void) {
      waits.push(ms);
      queueMicrotask(() => {
        clock.advance(ms);
        callback();
      });
      return () => {};
    },
  };
  const client = {
    canQuery,
    call(action: Action): Promise<CallResult> {
      calls.push(action);
      return Promise.resolve(outcomes[Math.min(calls.length, outcomes.length) - 1]!);
    },
  };
  const locator = new Locator({ client, servers, clock: impatient, log, wakeTimeout });
  const locate = (wanted: boolean | (() => boolean)) =>
    within(5_000, locator.locate(typeof wanted === "boolean" ? () => wanted : wanted, never), "the search");
  /** Servers that ran and no longer answer; the search at the start is done. */
  const lost = async () => {
    const before = outcomes.splice(0, outcomes.length, answered(RUNNING));
    await locate(false);
    outcomes.splice(0, 1, ...before);
    for (const server of servers.all) servers.failed(server);
    calls.length = 0;
  };
  return { locator, locate, lost, calls, waits, servers, log, clock };
}

Deno.test("the agent's start wakes the server and polls until it runs", async () => {
  const all = scene([answered(STARTING), answered(STARTING), answered(RUNNING)]);
  assert.equal(await all.locate(false), true);
  assert.deepEqual(all.calls, ["wake", "query", "query"]);
  assert.deepEqual(all.servers.all, [{ host: "192.0.2.1", port: 443 }]);
  assert.deepEqual(all.locator.state, { name: "known" });
});

Deno.test("known servers are dialled without a call", async () => {
  const all = scene([answered(RUNNING)]);
  await all.locate(false);
  await all.locate(false);
  assert.equal(all.calls.length, 1);
});

Deno.test("a server that is asleep stays asleep if no stream needs it", async () => {
  const all = scene([answered(STOPPED)]);
  await all.lost();
  assert.equal(await all.locate(false), false);
  assert.deepEqual(all.calls, ["query"]);
  assert.deepEqual(all.locator.state, { name: "asleep" });
});

Deno.test("without Query there is no call if no stream needs a server", async () => {
  const all = scene([answered(STOPPED)], { canQuery: false });
  await all.lost();
  assert.equal(await all.locate(false), false);
  assert.deepEqual(all.calls, []);
});

Deno.test("a server is woken if a stream needs it during a search", async () => {
  const all = scene([answered(STOPPED), answered(STARTING), answered(RUNNING)]);
  await all.lost();
  let asked = 0;
  assert.equal(await all.locate(() => ++asked > 1), true);
  assert.deepEqual(all.calls, ["query", "wake", "query"]);
});

Deno.test("a server that is stopped while a stream waits for it is woken again", async () => {
  const all = scene([answered(STARTING), answered(STOPPED), answered(STARTING), answered(RUNNING)]);
  await all.lost();
  assert.equal(await all.locate(true), true);
  assert.deepEqual(all.calls, ["wake", "query", "wake", "query"]);
});

Deno.test("without Query, Wake is called repeatedly", async () => {
  const all = scene([answered(STARTING), answered(STARTING), answered(RUNNING)], { canQuery: false });
  assert.equal(await all.locate(true), true);
  assert.deepEqual(all.calls, ["wake", "wake", "wake"]);
});

Deno.test("calls with retryable errors are repeated, not before the given time", async () => {
  const all = scene([passing(7_000), passing(), answered(RUNNING)]);
  assert.equal(await all.locate(true), true);
  assert.equal(all.waits[0], 7_000);
  assert.ok(all.waits[1]! >= 500, `${all.waits[1]} ms`);
});

Deno.test("pauses between calls grow up to 5 s", async () => {
  const all = scene([...Array(15).fill(answered(STARTING)), answered(RUNNING)]);
  await all.locate(true);
  assert.ok(all.waits[0]! <= 1_000, `${all.waits[0]} ms`);
  assert.ok(all.waits.slice(5).every((ms) => ms >= 2_500 && ms <= 5_000), all.waits.join(" "));
});

Deno.test("a server that does not start in time ends the search with the cloud's reason", async () => {
  const starting = answered({ ...STARTING, problem: "CannotPullContainerError" });
  const all = scene([starting], { wakeTimeout: 60_000 });
  const reason = /^Cannot wake the server within 60 s \(wake_timeout\): CannotPullContainerError$/;
  await assert.rejects(all.locate(true), withReason("tunnel_down", reason));
  assert.ok(all.clock.now() > 50_000 && all.clock.now() <= 60_000, `after ${all.clock.now()} ms`);
});

Deno.test("a permanent error is returned at once, without a call for each stream", async () => {
  const error = new SallyportError("tunnel_down", "Cannot call wake: it was not accepted");
  const all = scene([{ kind: "permanent", error }, answered(RUNNING)]);
  for (let i = 0; i < 3; i++) {
    await assert.rejects(all.locate(true), withReason("tunnel_down", /not accepted/));
  }
  assert.equal(all.calls.length, 1);
  all.clock.advance(5_000);
  assert.equal(await all.locate(true), true);
});

Deno.test("progress is logged at every change and every 10 s", async () => {
  const all = scene([...Array(10).fill(answered(STARTING)), passing(), answered(RUNNING)]);
  await all.locate(true);
  const lines = all.log.notes.map(({ fields }) => [fields["state"], fields["error"]]);
  assert.deepEqual(lines[0], ["starting", undefined]);
  assert.deepEqual(lines.at(-1), ["starting", "throttled"]);
  assert.ok(lines.length >= 4 && lines.length <= 6, `${lines.length} lines`);
  assert.ok(all.log.notes.every(({ fields }) => typeof fields["elapsed_s"] === "number"));
});

Deno.test("an aborted search ends", async () => {
  const all = scene([answered(STARTING)]);
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  await assert.rejects(all.locator.locate(() => true, stop.signal), /stopped/);
});
