import assert from "node:assert/strict";
import { ECSClient } from "@aws-sdk/client-ecs";
import { FakeAws } from "../../tests/support/cloud/fake_aws.ts";
import { namesOf } from "./names.ts";
import { stopServers } from "./destroy.ts";

/** ECS with a service that reports these counts in turn, and then the last one. */
function ecs(counts: { runningCount: number; pendingCount: number }[]) {
  return new FakeAws((action) => {
    if (action === "UpdateService") return { body: {} };
    return { body: { services: [counts.length > 1 ? counts.shift()! : counts[0]!] } };
  });
}

async function stop(timeout = 60_000): Promise<string[]> {
  const printed: string[] = [];
  await stopServers(new ECSClient({}), namesOf("tunnel"), (line) => void printed.push(line), {
    poll: 1,
    timeout,
  });
  return printed;
}

Deno.test("stopServers waits until all servers have stopped, also those about to start", async () => {
  const counts = [
    { runningCount: 2, pendingCount: 1 },
    { runningCount: 1, pendingCount: 0 },
    { runningCount: 0, pendingCount: 0 },
  ];
  await using aws = ecs(counts);
  assert.equal((await stop()).at(-1), "servers: none running");
  assert.deepEqual(aws.calls[0], {
    action: "UpdateService",
    input: { cluster: "tunnel", service: "tunnel-server", desiredCount: 0 },
  });
  assert.equal(aws.calls.filter(({ action }) => action === "DescribeServices").length, 3);
});

Deno.test("stopServers continues after a timeout", async () => {
  await using _ = ecs([{ runningCount: 1, pendingCount: 0 }]);
  assert.match((await stop(0)).at(-1)!, /1 still running/);
});

for (const name of ["ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException"]) {
  Deno.test(`stopServers ignores a service that is gone (${name})`, async () => {
    await using _ = new FakeAws(() => ({ status: 400, body: { __type: name, message: "gone" } }));
    assert.deepEqual(await stop(), []);
  });
}
