import assert from "node:assert/strict";
import { waitForTraffic } from "./traffic.ts";

const TARGET = "http://127.0.0.1:9080/";

function proxyAnswering(
  statuses: number[],
  port = 0,
): { port: number; asked: string[]; stop(): Promise<void> } {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => {
    asked.push(request.url);
    return new Response(null, { status: statuses.shift() ?? 200 });
  });
  return { port: server.addr.port, asked, stop: () => server.shutdown() };
}

Deno.test("waitForTraffic asks again until the answer is 200", async () => {
  const proxy = proxyAnswering([503, 502]);
  await waitForTraffic(proxy.port, TARGET, AbortSignal.timeout(10_000));
  assert.deepEqual(proxy.asked, [TARGET, TARGET, TARGET]);
  await proxy.stop();
});

Deno.test("waitForTraffic waits for a proxy that is not there yet", async () => {
  const early = proxyAnswering([]);
  await early.stop();
  const waiting = waitForTraffic(early.port, TARGET, AbortSignal.timeout(10_000));
  const proxy = proxyAnswering([], early.port);
  await waiting;
  await proxy.stop();
});

Deno.test("waitForTraffic gives up with its signal and tells the last answer", async () => {
  const proxy = proxyAnswering(Array(100).fill(503));
  const waiting = waitForTraffic(proxy.port, TARGET, AbortSignal.timeout(50));
  await assert.rejects(waiting, /Cannot reach http:\/\/127\.0\.0\.1:9080\/ through .*HTTP\/1\.1 503/);
  await proxy.stop();
});

Deno.test("waitForTraffic gives up on a proxy that says nothing", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assert.rejects(waitForTraffic(silent.addr.port, TARGET, AbortSignal.timeout(50)), /Cannot reach/);
});
