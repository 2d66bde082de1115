import assert from "node:assert/strict";
import { CloudError } from "../../shared/aws/cloud_error.ts";
import { FakeAws } from "../../tests/support/cloud/fake_aws.ts";
import { ActivityLog } from "./activity.ts";

const FROM = new Date("2026-01-01T12:00:00Z");
const TO = new Date("2026-01-01T12:03:00Z");
const never = new AbortController().signal;

interface Query {
  readonly Id: string;
  readonly MetricStat: {
    readonly Period: number;
    readonly Stat: string;
    readonly Metric: {
      readonly Namespace: string;
      readonly MetricName: string;
      readonly Dimensions: readonly unknown[];
    };
  };
}

/** Seconds after `FROM`, as CloudWatch has times. */
const at = (seconds: number) => FROM.getTime() / 1000 + seconds;

Deno.test("reports about agents are read by the second, and joined over pages", async () => {
  const asked: Query[] = [];
  await using _ = new FakeAws((_, input) => {
    asked.push(...input["MetricDataQueries"] as Query[]);
    const second = input["NextToken"] !== undefined;
    const results = second ? [{ Id: "most", Timestamps: [at(5), at(6), at(7)], Values: [9, 9, 0] }] : [
      { Id: "agents", Timestamps: [at(5), at(6), at(7)], Values: [1, 1, 0] },
      { Id: "least", Timestamps: [at(7), at(6), at(5)], Values: [0, 3, 9] },
    ];
    return { body: { MetricDataResults: results, ...(second ? {} : { NextToken: "more" }) } };
  });
  const reports = await new ActivityLog("Sallyport/mine", "mine").agentReports(FROM, TO, never);
  assert.deepEqual(reports, [
    { at: at(5) * 1000, agents: 1, onlyClient: 9 },
    // Two servers reported in the same second, of two clients.
    { at: at(6) * 1000, agents: 1, onlyClient: undefined },
    { at: at(7) * 1000, agents: 0, onlyClient: undefined },
  ]);
  assert.deepEqual(
    asked.slice(0, 3).map(({ MetricStat: { Period, Stat, Metric } }) => [Metric.MetricName, Stat, Period]),
    [["ConnectedAgents", "Maximum", 1], ["OnlyClient", "Minimum", 1], ["OnlyClient", "Maximum", 1]],
  );
});

Deno.test("reports of other installations are not queried", async () => {
  const asked: Query[] = [];
  await using _ = new FakeAws((_, input) => {
    asked.push(...input["MetricDataQueries"] as Query[]);
    return { body: { MetricDataResults: [] } };
  });
  const log = new ActivityLog("Sallyport/mine", "mine");
  await log.agentReports(FROM, TO, never);
  await log.between(FROM, TO, never);
  assert.equal(asked.length, 6);
  for (const { MetricStat: { Metric } } of asked) {
    assert.equal(Metric.Namespace, "Sallyport/mine");
    assert.deepEqual(Metric.Dimensions, [{ Name: "Service", Value: "mine" }]);
  }
});

Deno.test("metrics that CloudWatch returns only in part are an error", async () => {
  await using _ = new FakeAws(() => ({
    body: { MetricDataResults: [{ Id: "agents", Values: [], StatusCode: "InternalError" }] },
  }));
  await assert.rejects(new ActivityLog("Sallyport/mine", "mine").agentReports(FROM, TO, never), (error) => {
    assert.ok(error instanceof CloudError);
    assert.equal(error.code, "unavailable");
    return true;
  });
});
