import assert from "node:assert/strict";
import type { Task } from "@aws-sdk/client-ecs";
import { newestStart } from "./newest_start.ts";

/** A moment, in minutes of a test's own. */
const at = (minute: number) => new Date(minute * 60_000);
const failed = (from: number, to: number): Task => ({
  createdAt: at(from),
  stoppedAt: at(to),
  stopCode: "EssentialContainerExited",
});
const changed = { deployments: [{ updatedAt: at(50) }] };

Deno.test("newestStart is the start of the newest task", () => {
  const tasks = [{ startedAt: at(10), createdAt: at(9) }, { startedAt: at(40), createdAt: at(39) }];
  assert.deepEqual(newestStart(changed, tasks, []), at(40));
});

Deno.test("newestStart is the creation of a task that has not started yet", () => {
  assert.deepEqual(newestStart(changed, [{ startedAt: at(10) }, { createdAt: at(39) }], []), at(39));
});

Deno.test("newestStart is the last change of a service without tasks, and undefined without a change", () => {
  assert.deepEqual(newestStart(changed, [], []), at(50));
  assert.equal(newestStart({}, [], []), undefined);
});

Deno.test("newestStart is the first start of servers that fail one after the other", () => {
  const series = [failed(20, 21), failed(10, 11), failed(30, 31)];
  assert.deepEqual(newestStart(changed, [{ createdAt: at(32) }], series), at(10));
  assert.deepEqual(newestStart(changed, [], series), at(10));
  assert.deepEqual(newestStart(changed, [{ startedAt: at(33) }], series), at(10));
});

Deno.test("newestStart ignores two failures, and those that one server outlived", () => {
  assert.deepEqual(newestStart(changed, [{ createdAt: at(32) }], [failed(10, 11), failed(20, 21)]), at(32));
  const series = [failed(20, 21), failed(10, 11), failed(30, 31)];
  assert.deepEqual(newestStart(changed, [{ startedAt: at(5) }, { createdAt: at(32) }], series), at(32));
});

/** Reasons of ECS' scheduler, and whether a server that was stopped for one has failed. */
const REASONS: Readonly<Record<string, boolean>> = {
  "Scaling activity initiated by (deployment ecs-svc/1234567890123456789)": false,
  "Task stopped for availability zone rebalancing": false,
  "Task failed container health checks": true,
  "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:…)": true,
};

for (const [stoppedReason, isFailure] of Object.entries(REASONS)) {
  const what = isFailure ? "a failure" : "not a failure";
  Deno.test(`a server that the scheduler stopped is ${what} with "${stoppedReason.slice(0, 40)}"`, () => {
    const stopped = [1, 2, 3].map((minute): Task => ({
      ...failed(minute, 5),
      stopCode: "ServiceSchedulerInitiated",
      stoppedReason,
    }));
    assert.deepEqual(newestStart(changed, [{ createdAt: at(32) }], stopped), at(isFailure ? 1 : 32));
  });
}

Deno.test("newestStart ignores failures before the current deployment", () => {
  const before = [failed(10, 11), failed(20, 21), failed(30, 31)].map((task) => ({
    ...task,
    startedBy: "old",
  }));
  const deployments = [{ id: "old", status: "ACTIVE" }, { id: "new", status: "PRIMARY", updatedAt: at(50) }];
  const tasks = [{ startedAt: at(51), startedBy: "new" }];
  assert.deepEqual(newestStart({ deployments }, tasks, before), at(51));
  const after = before.map((task) => ({ ...task, startedBy: "new" }));
  assert.deepEqual(newestStart({ deployments }, tasks, after), at(10));
});
