import assert from "node:assert/strict";
import { ECSClient } from "@aws-sdk/client-ecs";
import { FakeAws } from "../../tests/support/cloud/fake_aws.ts";
import { namesOf } from "./names.ts";
import { stopServers } from "./stop_servers.ts";

/** ECS with a service whose servers go as the counts say; the last one stays. */
function ecs(counts: { runningCount: number; pendingCount: number }[]) {
  return new FakeAws((action) => {
    if (action === "UpdateService") return { body: {} };
    return { body: { services: [counts.length > 1 ? counts.shift()! : counts[0]!] } };
  });
}

async function stop(timeout = 60_000): Promise<string[]> {
  const said: string[] = [];
  await stopServers(new ECSClient({}), namesOf("tunnel"), (line) => void said.push(line), {
    poll: 1,
    timeout,
  });
  return said;
}

Deno.test("servers are stopped and waited for, those that were about to start too", async () => {
  const counts = [
    { runningCount: 2, pendingCount: 1 },
    { runningCount: 1, pendingCount: 0 },
    { runningCount: 0, pendingCount: 0 },
  ];
  await using aws = ecs(counts);
  assert.equal((await stop()).at(-1), "servers: none run");
  assert.deepEqual(aws.calls[0], {
    action: "UpdateService",
    input: { cluster: "tunnel", service: "tunnel-server", desiredCount: 0 },
  });
  assert.equal(aws.calls.filter(({ action }) => action === "DescribeServices").length, 3);
});

Deno.test("servers that do not go in time are not waited for for ever", async () => {
  await using _ = ecs([{ runningCount: 1, pendingCount: 0 }]);
  assert.match((await stop(0)).at(-1)!, /1 still run/);
});

for (const name of ["ClusterNotFoundException", "ServiceNotFoundException", "ServiceNotActiveException"]) {
  Deno.test(`servers of a service that is gone are no trouble (${name})`, async () => {
    await using _ = new FakeAws(() => ({ status: 400, body: { __type: name, message: "gone" } }));
    assert.deepEqual(await stop(), []);
  });
}
