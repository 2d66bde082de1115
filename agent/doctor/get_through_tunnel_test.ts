import assert from "node:assert/strict";
import { streamEnd } from "../../tests/support/mux/stream_end.ts";
import { streamPairs } from "../../tests/support/mux/stream_pair.ts";
import { withReason } from "../../tests/support/with_reason.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import type { MuxStream } from "../../shared/mux/stream/stream.ts";
import { getThroughTunnel, type TunnelAnswer, type TunnelGet } from "./get_through_tunnel.ts";

const LONG = 60_000;

/** Fetches a page over a session, and lets `serve` answer at its other end. */
async function fetched(
  get: Partial<TunnelGet>,
  serve: (far: MuxStream, server: Session) => void | Promise<void>,
): Promise<{ answer: Promise<TunnelAnswer>; closed: Promise<unknown>; close(): Promise<void> }> {
  const pairs = await streamPairs();
  const url = new URL("http://example.org/page?x=1");
  const answer = getThroughTunnel(pairs.agent, {
    ...{ url, timeoutMs: LONG, sample: { bytes: 100, ms: LONG } },
    ...get,
  });
  // The test awaits it later.
  answer.catch(() => {});
  const far = await pairs.nextStream();
  const closed = streamEnd(far);
  await serve(far, pairs.server);
  return { answer, closed, close: () => pairs.close() };
}

const head = (far: MuxStream, status = 200) =>
  far.send({ type: "http_response", payload: { status, reason: "", headers: [] } });

Deno.test("getThroughTunnel returns the final status and the whole of a short body", async () => {
  const { answer, closed, close } = await fetched({}, (far) => {
    head(far, 103);
    head(far, 404);
    far.write(new Uint8Array(10));
    far.end();
  });
  const { status, bytes } = await answer;
  assert.deepEqual([status, bytes], [404, 10]);
  assert.equal(await closed, undefined);
  await close();
});

Deno.test("getThroughTunnel stops when it has read enough, and resets the stream", async () => {
  const { answer, closed, close } = await fetched({}, (far) => {
    head(far);
    far.write(new Uint8Array(100));
  });
  assert.equal((await answer).bytes, 100);
  assert.match(String(await closed), /not needed/);
  await close();
});

Deno.test("getThroughTunnel stops reading after the time of its sample", async () => {
  const { answer, closed, close } = await fetched({ sample: { bytes: 100, ms: 1 } }, (far) => void head(far));
  assert.equal((await answer).status, 200);
  assert.match(String(await closed), /not needed/);
  await close();
});

Deno.test("getThroughTunnel fails with target_timeout without an answer in time, and resets the stream", async () => {
  const { answer, closed, close } = await fetched({ timeoutMs: 1 }, () => {});
  await assert.rejects(answer, withReason("target_timeout", /page from example\.org: no answer within 1 ms/));
  assert.match(String(await closed), /not needed/);
  await close();
});

Deno.test("getThroughTunnel fails with the error of the answer, or of a stream that is reset", async () => {
  const refused = await fetched({}, (far) => {
    const error = { code: "dns_error", message: "no such name" };
    far.send({ type: "http_response", payload: { error } }, undefined, { end: true });
  });
  await assert.rejects(refused.answer, withReason("dns_error", /no such name/));
  await refused.close();
  const reset = await fetched({}, async (far, server) => {
    head(far);
    // Once this is answered, the head has arrived.
    await server.ping();
    far.reset("target_reset", "lost");
  });
  await assert.rejects(reset.answer, withReason("target_reset", /lost/));
  await reset.close();
});
