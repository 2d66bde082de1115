import assert from "node:assert/strict";
import { FakeRuntimeApi } from "../../tests/support/cloud/runtime_api.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import type { Handler } from "../invocation.ts";
import { RuntimeApi } from "./api.ts";
import { serve, serveOne } from "./serve.ts";

/** Serves one event with a handler. */
async function serveEvent(handler: Handler, event: unknown, timeMs?: number) {
  await using lambda = new FakeRuntimeApi();
  const log = new LogNotes();
  const traces: string[] = [];
  const outcome = lambda.invoke(event, timeMs);
  const api = new RuntimeApi(lambda.address);
  await serveOne({ api, handler, log, setTraceId: (id) => void traces.push(id) });
  return { outcome: await outcome, log, traces };
}

Deno.test("what a handler returns is handed in, and the trace goes along", async () => {
  const { outcome, traces } = await serveEvent((event) => Promise.resolve({ got: event }), { a: 1 });
  assert.deepEqual([outcome.kind, outcome.body], ["response", { got: { a: 1 } }]);
  assert.deepEqual(traces, ["Root=1-0-0"]);
});

Deno.test("a handler that returns nothing hands in null", async () => {
  const { outcome } = await serveEvent(() => Promise.resolve(undefined), {});
  assert.equal(outcome.body, null);
});

Deno.test("what a handler throws is handed in with its type, and logged with the request", async () => {
  const { outcome, log } = await serveEvent(() => Promise.reject(new RangeError("too far")), {});
  assert.equal(outcome.kind, "error");
  assert.equal(outcome.errorType, "RangeError");
  const { errorMessage, stackTrace } = outcome.body as { errorMessage: string; stackTrace: string[] };
  assert.equal(errorMessage, "too far");
  assert.ok(stackTrace.length > 0);
  assert.equal(log.notes[0]?.fields["request"], "invocation-1");
});

Deno.test("a handler that throws at once is handled like one that rejects", async () => {
  const { outcome } = await serveEvent(() => {
    throw new TypeError("at once");
  }, {});
  assert.equal(outcome.errorType, "TypeError");
});

Deno.test("a handler is told before its time is over, and how much is left", async () => {
  const handler: Handler = (_, { signal, getRemainingTimeInMillis }) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve({ left: getRemainingTimeInMillis() }))
    );
  const { outcome } = await serveEvent(handler, {}, 600);
  const { left } = outcome.body as { left: number };
  assert.ok(left > 0 && left <= 500, `${left} ms`);
});

Deno.test("a Runtime API that fails ends the loop", async () => {
  await using lambda = new FakeRuntimeApi();
  lambda.status = 500;
  const api = new RuntimeApi(lambda.address);
  const handler = () => assert.fail("called");
  await assert.rejects(serve({ api, handler, log: new LogNotes() }), /the Runtime API answered 500/);
});
