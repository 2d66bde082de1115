import type { Service, Task } from "@aws-sdk/client-ecs";

/** Maximum length of a problem in characters; `parseFleetStatus` refuses longer ones. */
const MAX_LENGTH = 1_000;
/** Stop codes that mean no problem, unless the reason says so. */
const ON_PURPOSE = /^(ServiceSchedulerInitiated|UserInitiated|TerminationNotice)$/;
/** The scheduler's reason for stopping an unhealthy server; for a surplus one it gives another. */
const UNHEALTHY = /failed (container|ELB) health checks/i;

/**
 * Selects the stopped tasks that failed: they ended on their own, or because of their health check. Tasks of an
 * earlier deployment are ignored: the current one may have fixed the problem.
 */
export function failuresOf({ deployments = [] }: Service, stopped: readonly Task[]): Task[] {
  const current = deployments.find(({ status }) => status === "PRIMARY")?.id;
  return stopped.filter(({ stopCode = "", stoppedReason = "", startedBy }) =>
    (current === undefined || startedBy === current) &&
    (!ON_PURPOSE.test(stopCode) || UNHEALTHY.test(stoppedReason))
  );
}

/**
 * Finds out why servers do not start, from the tasks that stopped: an image that cannot be pulled, a secret that is
 * missing, a program that exited.
 *
 * @returns The reasons that ECS gives; undefined when there is no known problem.
 */
export function problemOf(service: Service, stopped: readonly Task[]): string | undefined {
  const failed = failuresOf(service, stopped)
    .sort((a, b) => Number(b.stoppedAt ?? 0) - Number(a.stoppedAt ?? 0))[0];
  const rollout = service.deployments?.find(({ rolloutState }) => rolloutState === "FAILED")
    ?.rolloutStateReason;
  const reasons = [failed?.stoppedReason, ...(failed?.containers ?? []).flatMap(endOf), rollout];
  const text = reasons.filter((reason) => reason !== undefined && reason !== "").join("; ");
  return text === "" ? undefined : text.slice(0, MAX_LENGTH);
}

function endOf({ name, reason, exitCode }: NonNullable<Task["containers"]>[number]): string[] {
  if (reason !== undefined) return [`${name}: ${reason}`];
  return exitCode === undefined || exitCode === 0 ? [] : [`${name} exited with code ${exitCode}`];
}
