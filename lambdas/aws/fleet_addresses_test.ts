import assert from "node:assert/strict";
import { inEnvironment } from "../../tests/support/cloud/moto.ts";
import { startHttpOrigin } from "../../tests/support/origins/http_origin.ts";
import { Fleet } from "./fleet.ts";

const task = (value: string) => ({
  lastStatus: "RUNNING",
  desiredStatus: "RUNNING",
  attachments: [{ details: [{ name: "networkInterfaceId", value }] }],
});

const ANSWERS: Readonly<Record<string, unknown>> = {
  DescribeServices: { services: [{ status: "ACTIVE", desiredCount: 2 }] },
  ListTasks: { taskArns: ["a", "b"] },
  DescribeTasks: { tasks: [task("eni-gone"), task("eni-1")] },
};

/** EC2 with one interface, as it answers a query: with an error when an id is asked for that it does not have. */
function interfaces(query: URLSearchParams): Response {
  const asked = [...query].filter(([key]) => /^NetworkInterfaceId\.\d+$/.test(key)).map(([, value]) => value);
  if (asked.some((id) => id !== "eni-1")) {
    const error = "<Code>InvalidNetworkInterfaceID.NotFound</Code><Message>gone</Message>";
    return new Response(`<Response><Errors><Error>${error}</Error></Errors></Response>`, { status: 400 });
  }
  const item = "<item><association><publicIp>203.0.113.7</publicIp></association></item>";
  const set = `<networkInterfaceSet>${item}</networkInterfaceSet>`;
  return new Response(`<DescribeNetworkInterfacesResponse>${set}</DescribeNetworkInterfacesResponse>`);
}

Deno.test("a server that is gone does not hide the addresses of others", async () => {
  const queries: URLSearchParams[] = [];
  await using origin = startHttpOrigin(async (request) => {
    const action = request.headers.get("x-amz-target")?.split(".").at(-1);
    if (action !== undefined) return Response.json(ANSWERS[action]);
    queries.push(new URLSearchParams(await request.text()));
    return interfaces(queries.at(-1)!);
  });
  using _ = inEnvironment({
    AWS_ENDPOINT_URL: `http://${origin.host}`,
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  });
  const fleet = new Fleet({ cluster: "sallyport", service: "server", port: 443 });
  const status = await fleet.status(new AbortController().signal);
  assert.deepEqual(status, { state: "running", servers: [{ ip: "203.0.113.7", port: 443 }] });
  assert.equal(queries[0]?.get("Filter.1.Name"), "network-interface-id");
  assert.deepEqual([1, 2].map((n) => queries[0]?.get(`Filter.1.Value.${n}`)), ["eni-gone", "eni-1"]);
});
