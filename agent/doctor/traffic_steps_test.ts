import assert from "node:assert/strict";
import { streamPairs } from "../../tests/support/mux/stream_pair.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { speed } from "./traffic_steps.ts";

const options = { timeoutMs: 5_000 };
const context = { linksOf: () => ({ lines: ["link to a: 1"], json: [{ id: 1 }] }) };

Deno.test("speed passes with a server that does not support the measurement (SPEC 4.7)", async () => {
  const pairs = await streamPairs();
  const running = speed.run({ session: pairs.agent, context, options } as unknown as Diagnosis);
  const far = await pairs.nextStream();
  far.listen({});
  const error = { code: "dns_error", message: "no such name" };
  far.send({ type: "http_response", payload: { error } }, undefined, { end: true });
  far.resume();
  const finding = await running;
  assert.ok(finding.result === "pass");
  assert.match(finding.detail, /^round trip [\d.]+ ms, bandwidth not measured \(dns_error\); link to a: 1$/);
  const { round_trip_ms, ...figures } = finding.figures!;
  assert.ok(Number(round_trip_ms) >= 0);
  assert.deepEqual(figures, { links: [{ id: 1 }] });
  await pairs.close();
});

Deno.test("speed reports broken_off when the session ends during the measurement", async () => {
  const pairs = await streamPairs();
  const running = speed.run({ session: pairs.agent, context, options } as unknown as Diagnosis);
  await pairs.nextStream();
  pairs.server.close("internal", "over");
  assert.deepEqual(await running, {
    result: "fail",
    problem: "broken_off",
    detail: "over",
    validity: undefined,
  });
  await pairs.close();
});
