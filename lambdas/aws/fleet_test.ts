import assert from "node:assert/strict";
import { FLEET_FAILURES } from "../../shared/cloud/fleet_status.ts";
import { CloudError } from "../../shared/aws/cloud_error.ts";
import { type AwsAnswer, FakeAws } from "../../tests/support/cloud/fake_aws.ts";
import { Fleet } from "./fleet.ts";

const NAME = { cluster: "sallyport", service: "server", port: 443 };
const never = new AbortController().signal;
const service = (more: object = {}): AwsAnswer => ({
  body: { services: [{ status: "ACTIVE", desiredCount: 1, ...more }] },
});

/** ECS with one service and these tasks. */
function ecs(tasks: { running?: object[]; stopped?: object[] }, more: object = {}) {
  let asked: object[] = [];
  return new FakeAws((action, input) => {
    if (action === "DescribeServices") return service(more);
    if (action === "ListTasks") {
      asked = (input["desiredStatus"] === "STOPPED" ? tasks.stopped : tasks.running) ?? [];
      return { body: { taskArns: asked.map((_, index) => `arn:${index}`) } };
    }
    if (action === "DescribeTasks") return { body: { tasks: asked } };
    return { body: {} };
  });
}

Deno.test("the fleet is stopped when no server is desired, and nothing else is queried", async () => {
  await using aws = ecs({}, { desiredCount: 0 });
  assert.deepEqual(await new Fleet(NAME).status(never), { state: "stopped", servers: [] });
  assert.deepEqual(aws.calls.map(({ action }) => action), ["DescribeServices"]);
});

Deno.test("a desired server that does not run yet is starting, without a problem", async () => {
  const pending = { lastStatus: "PENDING", desiredStatus: "RUNNING", attachments: [] };
  const asleep = { stopCode: "ServiceSchedulerInitiated", stoppedReason: "Scaling activity initiated" };
  await using _ = ecs({ running: [pending], stopped: [asleep] });
  assert.deepEqual(await new Fleet(NAME).status(never), { state: "starting", servers: [] });
});

Deno.test("a server that keeps failing is starting, with the reason of the last failure", async () => {
  const failed = (stoppedAt: number, stoppedReason: string) => ({
    stopCode: "TaskFailedToStart",
    stoppedReason,
    stoppedAt,
    containers: [{ name: "server", exitCode: 1 }],
  });
  await using _ = ecs({ stopped: [failed(1, "old"), failed(2, "CannotPullContainerError: not found")] });
  assert.deepEqual(await new Fleet(NAME).status(never), {
    state: "starting",
    servers: [],
    problem: "CannotPullContainerError: not found; server exited with code 1",
  });
});

Deno.test("a server stopped by its health check is a problem, with the reason of ECS", async () => {
  const stoppedReason = "Task failed container health checks";
  await using _ = ecs({ stopped: [{ stopCode: "ServiceSchedulerInitiated", stoppedReason, stoppedAt: 1 }] });
  assert.equal((await new Fleet(NAME).status(never)).problem, stoppedReason);
});

Deno.test("failures before the last deployment are no longer a problem", async () => {
  const failed = {
    stopCode: "TaskFailedToStart",
    stoppedReason: "CannotPullContainerError",
    startedBy: "ecs-svc/1",
  };
  const deployments = [{ id: "ecs-svc/2", status: "PRIMARY" }, { id: "ecs-svc/1", status: "ACTIVE" }];
  await using _ = ecs({ stopped: [failed] }, { deployments });
  assert.equal((await new Fleet(NAME).status(never)).problem, undefined);
});

Deno.test("wake sets the desired count, and never lowers it", async () => {
  for (const [desired, wanted, updates] of [[0, 1, [1]], [0, 3, [3]], [1, 1, []], [3, 1, []]] as const) {
    await using aws = ecs({}, { desiredCount: desired });
    await new Fleet(NAME).wake(wanted, never);
    const sent = aws.calls.filter(({ action }) => action === "UpdateService");
    assert.deepEqual(sent.map(({ input }) => input["desiredCount"]), updates, `${desired} → ${wanted}`);
  }
});

Deno.test("stop sets the desired count to 0, unless it is 0 already", async () => {
  for (const [desired, updates] of [[2, [0]], [0, []]] as const) {
    await using aws = ecs({}, { desiredCount: desired });
    await new Fleet(NAME).stop(never);
    const sent = aws.calls.filter(({ action }) => action === "UpdateService");
    assert.deepEqual(sent.map(({ input }) => input["desiredCount"]), updates);
  }
});

Deno.test("the fleet is as old as its newest task, or as its last change without tasks", async () => {
  const young = Date.parse("2026-01-01T12:00:00Z") / 1000;
  const deployments = [{ updatedAt: young - 50 }];
  {
    await using _ = ecs({ running: [{ startedAt: young - 100 }, { createdAt: young }] }, {
      deployments,
      runningCount: 2,
    });
    const age = { desired: 1, running: 2, newestStart: new Date(young * 1000) };
    assert.deepEqual(await new Fleet(NAME).age(never), age);
  }
  await using _ = ecs({}, { deployments });
  assert.equal((await new Fleet(NAME).age(never)).newestStart?.getTime(), (young - 50) * 1000);
});

/** Errors of ECS, and what callers receive. */
const FAILURES: Readonly<
  Record<string, [answer: AwsAnswer, code: keyof typeof FLEET_FAILURES, reason: RegExp]>
> = {
  "throttles": [
    { status: 400, body: { __type: "ThrottlingException", message: "Rate exceeded" } },
    "throttled",
    /Rate/,
  ],
  "is broken": [
    { status: 500, body: { __type: "ServerException", message: "Service down" } },
    "unavailable",
    /down/,
  ],
  "does not allow it": [
    { status: 400, body: { __type: "AccessDeniedException", message: "not authorized" } },
    "not_allowed",
    /describe the ECS service sallyport\/server: not authorized/,
  ],
  "does not know the cluster": [
    { status: 400, body: { __type: "ClusterNotFoundException", message: "Cluster not found." } },
    "service_missing",
    /Cluster not found/,
  ],
  "does not know the service": [{ body: { services: [] } }, "service_missing", /not found/],
  "is deleting the service": [
    { body: { services: [{ status: "DRAINING" }] } },
    "service_missing",
    /DRAINING/,
  ],
  "wants something else": [
    { status: 400, body: { __type: "InvalidParameterException", message: "Bad name" } },
    "cloud_error",
    /Bad name/,
  ],
};

for (const [what, [answer, code, reason]] of Object.entries(FAILURES)) {
  Deno.test(`an ECS that ${what} is ${code}`, async () => {
    await using _ = new FakeAws(() => answer);
    await assert.rejects(new Fleet(NAME).status(never), (error) => {
      assert.ok(error instanceof CloudError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, reason);
      return true;
    });
  });
}

Deno.test("an ECS that does not answer in time is unavailable", async () => {
  const hanging = Promise.withResolvers<AwsAnswer>();
  await using _ = new FakeAws(() => hanging.promise);
  const time = new AbortController();
  const asked = new Fleet(NAME).status(time.signal);
  time.abort();
  await assert.rejects(asked, (error) => error instanceof CloudError && error.code === "unavailable");
  hanging.resolve({ body: {} });
});
