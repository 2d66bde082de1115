import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import type { MuxStream } from "../mux/stream/stream.ts";
import type { OpeningMessage } from "../protocol/messages.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { streamPairs } from "../../tests/support/mux/stream_pair.ts";
import { within } from "../../tests/support/within.ts";
import { forward } from "./forward.ts";
import { createOriginPool } from "./http/origin_pool.ts";
import type { TransferResult } from "./accounting.ts";

const TARGET = { host: "a.example", port: 80 };
const OPENINGS: OpeningMessage[] = [
  { type: "connect_request", payload: TARGET },
  { type: "http_request", payload: { ...TARGET, method: "GET", path: "/", headers: ["Host", "a.example"] } },
];

/** The result of a stream that the agent ends with a code and message of its choice, by a reset or with the session. */
async function recorded(
  opening: OpeningMessage,
  dialFails: boolean,
  by: "reset" | "goaway",
): Promise<TransferResult> {
  const pairs = await streamPairs();
  const { near, far } = await pairs.open(opening);
  const done = Promise.withResolvers<TransferResult>();
  const dialled = Promise.withResolvers<void>();
  const origins = createOriginPool();
  forward(far, {
    clock: new ManualClock(),
    origins,
    idleTimeoutMs: 1_000,
    onDone: done.resolve,
    dial(_host, _port, signal) {
      dialled.resolve();
      if (dialFails) return Promise.reject(new SallyportError("target_refused", "Cannot connect: refused"));
      return new Promise((_, reject) =>
        signal?.addEventListener("abort", () => reject(new SallyportError("cancelled", "gone")))
      );
    },
  });
  await within(5_000, dialled.promise, "the dial");
  if (dialFails) await within(5_000, answer(near), "the answer");
  const reason = ["target_denied", "the server's own words"] as const;
  if (by === "reset") near.reset(...reason);
  else pairs.agent.close(...reason);
  const result = await within(5_000, done.promise, "the result");
  origins.destroy();
  await pairs.close();
  return result;
}

function answer(stream: MuxStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.listen({ message: () => resolve() });
  stream.resume();
  return promise;
}

for (const opening of OPENINGS) {
  for (const by of ["reset", "goaway"] as const) {
    Deno.test(`a client does not choose the audited result of its own ${opening.type} by a ${by}`, async () => {
      const { code, detail, peerCode, peerMessage } = await recorded(opening, false, by);
      assert.equal(code, "cancelled");
      assert.doesNotMatch(detail ?? "", /own words/);
      assert.deepEqual([peerCode, peerMessage], ["target_denied", "the server's own words"]);
    });
  }

  Deno.test(`a reset after a failure does not change the audited result of a ${opening.type}`, async () => {
    const { code, detail } = await recorded(opening, true, "reset");
    assert.deepEqual([code, detail], ["target_refused", "Cannot connect: refused"]);
  });
}
