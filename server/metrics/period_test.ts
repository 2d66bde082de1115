import assert from "node:assert/strict";
import { Period, type PeriodGauges } from "./period.ts";

Deno.test("a period counts its events, and the next one starts at zero", () => {
  const gauges = { streams: 0, agents: 2, onlyClient: "00:00:00:00:00:FF:12" };
  const period = new Period(() => gauges);
  gauges.streams = 3;
  period.streamBegun();
  gauges.streams = 1;
  period.streamDone({ kind: "connect_request", bytesIn: 10, bytesOut: 20 });
  period.streamDone({ kind: "connect_request", code: "target_refused", bytesIn: 1, bytesOut: 0 });
  period.streamDone({ kind: "connect_request", code: "cancelled", bytesIn: 0, bytesOut: 5 });
  const first = {
    UserBytesIn: 11,
    UserBytesOut: 25,
    OpenStreams: 3,
    ConnectedAgents: 2,
    OnlyClient: 255,
    Requests: 1,
    Errors: 1,
  };
  assert.deepEqual(period.take(), first);
  const quiet = {
    UserBytesIn: 0,
    UserBytesOut: 0,
    OpenStreams: 1,
    ConnectedAgents: 2,
    OnlyClient: 255,
    Requests: 0,
    Errors: 0,
  };
  assert.deepEqual(period.take(), quiet);
});

Deno.test("figures that could not be sent are part of the next period", () => {
  const period = new Period(() => ({ streams: 0, agents: 1, onlyClient: undefined }));
  period.streamBegun();
  period.streamDone({ kind: "http_request", code: "target_reset", bytesIn: 1, bytesOut: 2 });
  const lost = period.take();
  period.putBack(lost);
  period.streamDone({ kind: "http_request", bytesIn: 10, bytesOut: 20 });
  const next = period.take();
  assert.deepEqual([next.UserBytesIn, next.UserBytesOut, next.Requests, next.Errors], [11, 22, 1, 1]);
});

Deno.test("a period has no client without agents, and client 0 with several", () => {
  const gauges: PeriodGauges = { streams: 0, agents: 0, onlyClient: undefined };
  assert.ok(!("OnlyClient" in new Period(() => gauges).take()));
  assert.equal(new Period(() => ({ ...gauges, agents: 2 })).take().OnlyClient, 0);
});
