/**
 * Purpose: a server that reports to CloudWatch tells what was carried and nothing else, and a CloudWatch that fails
 * or hangs is none of the traffic's business.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { clientNumber } from "../../shared/cloud/client_number.ts";
import { identityOf } from "../../shared/tls/identity_of.ts";
import type { MetricName } from "../../shared/cloud/metric_names.ts";
import { Chain } from "../support/chain.ts";
import { type AwsAnswer, FakeAws } from "../support/cloud/fake_aws.ts";
import { curl } from "../support/curl.ts";
import { eventually } from "../support/eventually.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { testBytes } from "../support/test_bytes.ts";

const BODY = testBytes(100_000, 1);

async function chainTo(aws: FakeAws): Promise<Chain> {
  const server = { emit_metrics: true, metrics_interval: "1s", metrics_name: "mine" };
  const chain = await Chain.prepare({ server });
  await chain.startServer(aws.env);
  await chain.startAgent();
  return chain;
}

/** The values of a metric, in the order in which they were reported. */
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

Deno.test("the server reports user bytes, requests and agents, and what is left when it stops", async () => {
  await using aws = new FakeAws(() => ({ body: {} }));
  await using origin = startHttpOrigin(() => new Response(BODY));
  await using chain = await chainTo(aws);
  await eventually("an agent is reported", () => assert.equal(valuesOf(aws, "ConnectedAgents").at(-1), 1));
  const certificate = new X509Certificate(await Deno.readTextFile(`${chain.dir}/certs/client.crt`));
  assert.equal(valuesOf(aws, "OnlyClient").at(-1), clientNumber(identityOf(certificate)));
  assert.equal(
    sumOf(aws, "UserBytesIn") + sumOf(aws, "UserBytesOut"),
    0,
    "greetings and pings are no traffic",
  );
  assert.equal(Math.max(...valuesOf(aws, "OpenStreams")), 0);
  for (let i = 0; i < 3; i++) await get(chain, origin.host);
  await chain.finish();
  assert.equal(sumOf(aws, "Requests"), 3);
  assert.equal(sumOf(aws, "UserBytesOut"), 3 * BODY.byteLength);
  assert.equal(sumOf(aws, "Errors"), 0);
  assert.ok(Math.max(...valuesOf(aws, "OpenStreams")) >= 1, "streams that came and went were there");
  const { Namespace, MetricData } = aws.calls[0]!.input as {
    Namespace: string;
    MetricData: { Dimensions: unknown }[];
  };
  assert.equal(Namespace, "Sallyport");
  assert.deepEqual(MetricData[0]!.Dimensions, [{ Name: "Service", Value: "mine" }]);
});

Deno.test("a CloudWatch that fails disturbs no traffic, and the next report tells the rest", async () => {
  let works = false;
  await using aws = new FakeAws(() =>
    works ? { body: {} } : { status: 400, body: { __type: "InvalidParameterValue" } }
  );
  await using origin = startHttpOrigin(() => new Response(BODY));
  await using chain = await chainTo(aws);
  for (let i = 0; i < 5; i++) await get(chain, origin.host);
  await chain.server.log.waitFor("report to CloudWatch failed, the next one tells the rest");
  await eventually("reports with all of it fail", () => assert.equal(valuesOf(aws, "Requests").at(-1), 5));
  works = true;
  const failed = aws.calls.length;
  await chain.finish();
  const told = aws.calls.slice(failed).flatMap(({ input }) =>
    input["MetricData"] as { MetricName: string; Value: number }[]
  );
  assert.ok(
    told.some(({ MetricName, Value }) => MetricName === "Requests" && Value === 5),
    JSON.stringify(told),
  );
});

Deno.test("a CloudWatch that hangs disturbs no traffic, and its server stops nevertheless", async () => {
  const hanging = Promise.withResolvers<AwsAnswer>();
  await using aws = new FakeAws(() => hanging.promise);
  await using origin = startHttpOrigin(() => new Response(BODY));
  await using chain = await chainTo(aws);
  await eventually("a report is under way", () => assert.ok(aws.calls.length > 0));
  for (let i = 0; i < 5; i++) await get(chain, origin.host);
  await chain.finish();
  hanging.resolve({ body: {} });
});
