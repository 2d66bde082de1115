import assert from "node:assert/strict";
import { signCall } from "../agent/cloud/sign_call.ts";
import { clientNumber } from "../shared/cloud/metric_names.ts";
import { clientIdentity } from "../shared/pki/peer_verification.ts";
import { inEnvironment } from "../tests/support/cloud/moto.ts";
import { type AwsAnswer, FakeAws } from "../tests/support/cloud/fake_aws.ts";
import { urlEvent } from "../tests/support/cloud/runtime_api.ts";
import { TestPki } from "../tests/support/pki/pki.ts";
import type { HttpAnswer } from "./http_function.ts";

const HOST = "abc.lambda-url.eu-central-1.on.aws";
const pki = await TestPki.create();
const identity = await pki.client();
const ME = clientNumber(clientIdentity(identity.chain[0]!));

/** CloudWatch with one current report. */
function reported(agents: number, onlyClient: number): AwsAnswer {
  const Timestamps = [Math.floor(Date.now() / 1000)];
  const results = Object.entries({ agents, least: onlyClient, most: onlyClient });
  return { body: { MetricDataResults: results.map(([Id, value]) => ({ Id, Timestamps, Values: [value] })) } };
}

const NONE: AwsAnswer = { body: { MetricDataResults: [] } };
const DENIED: AwsAnswer = { status: 400, body: { __type: "AccessDeniedException", message: "no" } };

const ROWS: Readonly<Record<string, [metrics: AwsAnswer, status: number, body: RegExp]>> = {
  "another agent is connected": [reported(1, ME + 1), 409, /"in_use".*not the caller/],
  "several agents are connected": [reported(3, 0), 409, /"in_use".*3 agents are connected/],
  "the servers reported nothing": [NONE, 503, /"unavailable".*Cannot stop the servers: .*reported nothing/],
  "metrics cannot be read": [DENIED, 500, /"not_allowed".*Cannot read the metrics/],
  "only the caller is connected": [reported(1, ME), 200, /"stopped"/],
};

Deno.test("Kill changes the count only when the servers' reports allow it", async (t) => {
  let metrics = NONE;
  await using aws = new FakeAws((action, input) => {
    if (action === "DescribeServices") {
      return { body: { services: [{ status: "ACTIVE", desiredCount: 1, runningCount: 1 }] } };
    }
    if (action === "ListTasks") {
      return { body: { taskArns: input["desiredStatus"] === "RUNNING" ? ["a"] : [] } };
    }
    if (action === "DescribeTasks") return { body: { tasks: [{ startedAt: Date.now() / 1000 - 3_600 }] } };
    return action === "GetMetricData" ? metrics : { body: {} };
  });
  using _ = inEnvironment({
    SALLYPORT_CLUSTER: "sallyport",
    SALLYPORT_SERVICE: "server",
    SALLYPORT_CA_CERT_PEM: pki.ca,
    SALLYPORT_CLIENTS__ALLOW: "cn:test-client",
  });
  const { handler } = await import("./kill.ts");
  const context = {
    awsRequestId: "1",
    signal: new AbortController().signal,
    getRemainingTimeInMillis: () => 30_000,
  };
  for (const [what, [answer, status, body]] of Object.entries(ROWS)) {
    await t.step(`${status} when ${what}`, async () => {
      metrics = answer;
      aws.calls.length = 0;
      const url = new URL(`https://${HOST}/`);
      const token = await signCall({ action: "kill", method: "POST", url, now: Date.now() }, identity);
      const event = urlEvent({ method: "POST", host: HOST, authorization: `Bearer ${token}` });
      const found = await handler(event, context) as HttpAnswer;
      assert.equal(found.statusCode, status, found.body);
      assert.match(found.body, body);
      const counts = aws.calls.filter(({ action }) => action === "UpdateService")
        .map(({ input }) => input["desiredCount"]);
      assert.deepEqual(counts, status === 200 ? [0] : []);
    });
  }
});
