import type { Service, Task } from "@aws-sdk/client-ecs";

/** Characters of a problem that callers are told; `parseFleetStatus` takes no more. */
const MAX_LENGTH = 1_000;
/** A server that was stopped by these has no problem, unless the next says so. */
const ON_PURPOSE = /^(ServiceSchedulerInitiated|UserInitiated|TerminationNotice)$/;
/** The scheduler's words for a server that it gave up; for one that is one too many it has others. */
const UNHEALTHY = /failed (container|ELB) health checks/i;

/**
 * Of tasks that stopped, those that failed: nobody stopped them, or their health check did. Those of an earlier
 * deployment say nothing of the one that counts now, which may have mended what was wrong.
 */
export function failuresOf({ deployments = [] }: Service, stopped: readonly Task[]): Task[] {
  const current = deployments.find(({ status }) => status === "PRIMARY")?.id;
  return stopped.filter(({ stopCode = "", stoppedReason = "", startedBy }) =>
    (current === undefined || startedBy === current) &&
    (!ON_PURPOSE.test(stopCode) || UNHEALTHY.test(stoppedReason))
  );
}

/**
 * Finds out why servers do not start, from what ECS keeps of those that stopped: an image that cannot be pulled,
 * a secret that is missing, a program that ended.
 *
 * @returns Words of ECS for a person; undefined when nothing is known to be wrong.
 */
export function problemOf(service: Service, stopped: readonly Task[]): string | undefined {
  const failed = failuresOf(service, stopped)
    .sort((a, b) => Number(b.stoppedAt ?? 0) - Number(a.stoppedAt ?? 0))[0];
  const rollout = service.deployments?.find(({ rolloutState }) => rolloutState === "FAILED")
    ?.rolloutStateReason;
  const words = [failed?.stoppedReason, ...(failed?.containers ?? []).flatMap(endOf), rollout];
  const told = words.filter((word) => word !== undefined && word !== "").join("; ");
  return told === "" ? undefined : told.slice(0, MAX_LENGTH);
}

function endOf({ name, reason, exitCode }: NonNullable<Task["containers"]>[number]): string[] {
  if (reason !== undefined) return [`${name}: ${reason}`];
  return exitCode === undefined || exitCode === 0 ? [] : [`${name} ended with code ${exitCode}`];
}
