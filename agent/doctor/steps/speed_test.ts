import assert from "node:assert/strict";
import { streamPairs } from "../../../tests/support/stream_pair.ts";
import type { Found } from "../found.ts";
import { speed } from "./speed.ts";

const options = { timeoutMs: 5_000 };

Deno.test("a server that does not help to measure the path (SPEC 4.7) is as good as another", async () => {
  const pairs = await streamPairs();
  const looking = speed.look({ session: pairs.agent, options } as Found);
  const far = await pairs.nextStream();
  far.listen({});
  const error = { code: "dns_error", message: "no such name" };
  far.send({ type: "http_response", payload: { error } }, undefined, { end: true });
  far.resume();
  const { outcome, detail } = await looking;
  assert.equal(outcome, "pass");
  assert.match(detail, /^a round trip takes [\d.]+ ms, and more could not be measured \(dns_error\)$/);
  await pairs.close();
});

Deno.test("a session that ends while the path is measured broke off", async () => {
  const pairs = await streamPairs();
  const looking = speed.look({ session: pairs.agent, options } as Found);
  await pairs.nextStream();
  pairs.server.close("internal", "over");
  assert.deepEqual(await looking, {
    outcome: "fail",
    problem: "broken_off",
    detail: "over",
    validity: undefined,
  });
  await pairs.close();
});
