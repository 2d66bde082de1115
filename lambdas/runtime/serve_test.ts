import assert from "node:assert/strict";
import { FakeRuntimeApi } from "../../tests/support/cloud/runtime_api.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import type { Handler } from "../handler.ts";
import { RuntimeApi } from "./api.ts";
import { serve, serveOne } from "./serve.ts";

/** Serves one event with a handler. */
async function serveEvent(handler: Handler, event: unknown, timeMs?: number) {
  await using lambda = new FakeRuntimeApi();
  const log = new LogNotes();
  const traces: string[] = [];
  const result = lambda.invoke(event, timeMs);
  const api = new RuntimeApi(lambda.address);
  await serveOne({ api, handler, log, setTraceId: (id) => void traces.push(id) });
  return { result: await result, log, traces };
}

Deno.test("the result of a handler is posted, with the trace id", async () => {
  const { result, traces } = await serveEvent((event) => Promise.resolve({ got: event }), { a: 1 });
  assert.deepEqual([result.kind, result.body], ["response", { got: { a: 1 } }]);
  assert.deepEqual(traces, ["Root=1-0-0"]);
});

Deno.test("a handler that returns nothing posts null", async () => {
  const { result } = await serveEvent(() => Promise.resolve(undefined), {});
  assert.equal(result.body, null);
});

Deno.test("the error of a handler is posted with its type, and logged with the request", async () => {
  const { result, log } = await serveEvent(() => Promise.reject(new RangeError("too far")), {});
  assert.equal(result.kind, "error");
  assert.equal(result.errorType, "RangeError");
  const { errorMessage, stackTrace } = result.body as { errorMessage: string; stackTrace: string[] };
  assert.equal(errorMessage, "too far");
  assert.ok(stackTrace.length > 0);
  assert.equal(log.notes[0]?.fields["request"], "invocation-1");
});

Deno.test("a handler that throws synchronously is handled like one that rejects", async () => {
  const { result } = await serveEvent(() => {
    throw new TypeError("at once");
  }, {});
  assert.equal(result.errorType, "TypeError");
});

Deno.test("the signal of a handler aborts before the timeout, and the context has the time left", async () => {
  const handler: Handler = (_, { signal, getRemainingTimeInMillis }) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve({ left: getRemainingTimeInMillis() }))
    );
  const { result } = await serveEvent(handler, {}, 600);
  const { left } = result.body as { left: number };
  assert.ok(left > 0 && left <= 500, `${left} ms`);
});

Deno.test("a failing Runtime API ends the loop", async () => {
  await using lambda = new FakeRuntimeApi();
  lambda.status = 500;
  const api = new RuntimeApi(lambda.address);
  const handler = () => assert.fail("called");
  await assert.rejects(serve({ api, handler, log: new LogNotes() }), /the Runtime API answered 500/);
});
