import assert from "node:assert/strict";
import { waitForAnswer } from "./wait_for_answer.ts";

const TARGET = "http://127.0.0.1:9080/";

function proxyAnswering(
  statuses: number[],
  port = 0,
): { port: number; requested: string[]; stop(): Promise<void> } {
  const requested: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => {
    requested.push(request.url);
    return new Response(null, { status: statuses.shift() ?? 200 });
  });
  return { port: server.addr.port, requested, stop: () => server.shutdown() };
}

Deno.test("waitForAnswer retries until the answer is 200", async () => {
  const proxy = proxyAnswering([503, 502]);
  await waitForAnswer(proxy.port, TARGET, AbortSignal.timeout(10_000));
  assert.deepEqual(proxy.requested, [TARGET, TARGET, TARGET]);
  await proxy.stop();
});

Deno.test("waitForAnswer waits for a proxy that is not listening yet", async () => {
  const early = proxyAnswering([]);
  await early.stop();
  const waiting = waitForAnswer(early.port, TARGET, AbortSignal.timeout(10_000));
  const proxy = proxyAnswering([], early.port);
  await waiting;
  await proxy.stop();
});

Deno.test("waitForAnswer gives up with its signal and reports the last answer", async () => {
  const proxy = proxyAnswering(Array(100).fill(503));
  const waiting = waitForAnswer(proxy.port, TARGET, AbortSignal.timeout(50));
  await assert.rejects(waiting, /Cannot reach http:\/\/127\.0\.0\.1:9080\/ through .*HTTP\/1\.1 503/);
  await proxy.stop();
});

Deno.test("waitForAnswer gives up on a proxy that never answers", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assert.rejects(waitForAnswer(silent.addr.port, TARGET, AbortSignal.timeout(50)), /Cannot reach/);
});
