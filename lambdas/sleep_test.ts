import assert from "node:assert/strict";
import { inEnvironment } from "../tests/support/cloud/moto.ts";
import { FakeAws } from "../tests/support/cloud/fake_aws.ts";

const VARIABLES = {
  SALLYPORT_CLUSTER: "sallyport",
  SALLYPORT_SERVICE: "server",
  SALLYPORT_IDLE_AFTER: "15m",
};

Deno.test("late figures do not make a server idle: two minutes are added to its time", async () => {
  const startedAt = Date.now() / 1000 - 16 * 60;
  await using aws = new FakeAws((action, input) => {
    if (action === "DescribeServices") return { body: { services: [{ status: "ACTIVE", desiredCount: 1 }] } };
    if (action === "ListTasks") {
      return { body: { taskArns: input["desiredStatus"] === "RUNNING" ? ["a"] : [] } };
    }
    if (action === "DescribeTasks") return { body: { tasks: [{ startedAt }] } };
    return { status: 400, body: { __type: "Unexpected", message: `${action} was called` } };
  });
  using _ = inEnvironment(VARIABLES);
  const { handler } = await import("./sleep.ts");
  const event = { source: "aws.events", "detail-type": "Scheduled Event" };
  const context = {
    awsRequestId: "1",
    signal: new AbortController().signal,
    getRemainingTimeInMillis: () => 30_000,
  };
  const decision = await handler(event, context) as { stop: boolean; reason: string };
  assert.equal(decision.stop, false);
  assert.match(decision.reason, /^the newest server is \d+ s old$/);
  assert.ok(!aws.calls.some(({ action }) => action === "UpdateService"));
});
