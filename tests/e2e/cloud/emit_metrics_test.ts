/**
 * Purpose: a server reports its user traffic to CloudWatch and nothing else, and a CloudWatch that fails or hangs does
 * not affect the traffic.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { clientNumber, type MetricName } from "../../../shared/cloud/metric_names.ts";
import { clientIdentity } from "../../../shared/pki/peer_verification.ts";
import { Chain } from "../../support/programs/chain.ts";
import { type AwsAnswer, FakeAws } from "../../support/cloud/fake_aws.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { testBytes } from "../../support/test_bytes.ts";

const BODY = testBytes(100_000, 1);

async function chainTo(aws: FakeAws): Promise<Chain> {
  const server = {
    emit_metrics: true,
    metrics_interval: "1s",
    metrics_namespace: "Sallyport/mine",
    metrics_name: "mine",
  };
  const chain = await Chain.prepare({ server });
  await chain.startServer(aws.env);
  await chain.startAgent();
  return chain;
}

/** The values of a metric, in the order of the reports. */
function valuesOf(aws: FakeAws, name: MetricName): number[] {
  return aws.calls.flatMap(({ input }) => input["MetricData"] as { MetricName: string; Value: number }[])
    .filter(({ MetricName }) => MetricName === name).map(({ Value }) => Value);
}

function sumOf(aws: FakeAws, name: MetricName): number {
  return valuesOf(aws, name).reduce((sum, value) => sum + value, 0);
}

async function get(chain: Chain, host: string): Promise<void> {
  const { body, errors } = await curl(["-x", chain.proxyUrl, `http://${host}/`]);
  assert.equal(body.byteLength, BODY.byteLength, errors);
}

Deno.test("the server reports user bytes, requests and agents, and the rest when it stops", async () => {
  await using aws = new FakeAws(() => ({ body: {} }));
  await using origin = startHttpOrigin(() => new Response(BODY));
  await using chain = await chainTo(aws);
  await eventually("an agent is reported", () => assert.equal(valuesOf(aws, "ConnectedAgents").at(-1), 1));
  const certificate = new X509Certificate(await Deno.readTextFile(`${chain.dir}/certs/client.crt`));
  assert.equal(valuesOf(aws, "OnlyClient").at(-1), clientNumber(clientIdentity(certificate)));
  assert.equal(
    sumOf(aws, "UserBytesIn") + sumOf(aws, "UserBytesOut"),
    0,
    "hello and ping are not traffic",
  );
  assert.equal(Math.max(...valuesOf(aws, "OpenStreams")), 0);
  for (let i = 0; i < 3; i++) await get(chain, origin.host);
  await chain.finish();
  assert.equal(sumOf(aws, "Requests"), 3);
  assert.equal(sumOf(aws, "UserBytesOut"), 3 * BODY.byteLength);
  assert.equal(sumOf(aws, "Errors"), 0);
  assert.ok(Math.max(...valuesOf(aws, "OpenStreams")) >= 1, "short streams are counted");
  const { Namespace, MetricData } = aws.calls[0]!.input as {
    Namespace: string;
    MetricData: { Dimensions: unknown }[];
  };
  assert.equal(Namespace, "Sallyport/mine");
  assert.deepEqual(MetricData[0]!.Dimensions, [{ Name: "Service", Value: "mine" }]);
});

Deno.test("a failing CloudWatch does not affect the traffic, and the next report has the rest", async () => {
  let works = false;
  await using aws = new FakeAws(() =>
    works ? { body: {} } : { status: 400, body: { __type: "InvalidParameterValue" } }
  );
  await using origin = startHttpOrigin(() => new Response(BODY));
  await using chain = await chainTo(aws);
  for (let i = 0; i < 5; i++) await get(chain, origin.host);
  await chain.server.log.waitFor("CloudWatch report failed, the next one includes its figures");
  await eventually("reports with all of it fail", () => assert.equal(valuesOf(aws, "Requests").at(-1), 5));
  works = true;
  const failed = aws.calls.length;
  await chain.finish();
  const reported = aws.calls.slice(failed).flatMap(({ input }) =>
    input["MetricData"] as { MetricName: string; Value: number }[]
  );
  assert.ok(
    reported.some(({ MetricName, Value }) => MetricName === "Requests" && Value === 5),
    JSON.stringify(reported),
  );
});

Deno.test("a hanging CloudWatch does not affect the traffic, and the server still stops", async () => {
  const hanging = Promise.withResolvers<AwsAnswer>();
  await using aws = new FakeAws(() => hanging.promise);
  await using origin = startHttpOrigin(() => new Response(BODY));
  await using chain = await chainTo(aws);
  await eventually("a report is being sent", () => assert.ok(aws.calls.length > 0));
  for (let i = 0; i < 5; i++) await get(chain, origin.host);
  await chain.finish();
  hanging.resolve({ body: {} });
});
