import type { Service, Task } from "@aws-sdk/client-ecs";
import { failuresOf } from "./problem.ts";

/** Failures in a row that make a series: one may be bad luck. */
const SERIES = 3;

/**
 * Since when the youngest server has had time to be used: the start of the youngest task, or its making while it
 * has not started. Of servers that fail one after the other each is young, and each is billed; their time counts
 * from the first of the series. Without any task it counts from the last change of the service.
 *
 * @param tasks Those that run or are about to.
 * @param stopped Those that ECS still remembers, which is about an hour.
 * @returns undefined when ECS does not say.
 */
export function youngestOf(
  service: Service,
  tasks: readonly Task[],
  stopped: readonly Task[],
): Date | undefined {
  const failures = failuresOf(service, stopped);
  const lastFailure = latest(failures.map(({ stoppedAt }) => stoppedAt)) ?? -Infinity;
  const survived = tasks.some(({ startedAt }) => Number(startedAt ?? Infinity) < lastFailure);
  if (failures.length >= SERIES && !survived) {
    return dateOf(earliest(failures.map(({ createdAt }) => createdAt)));
  }
  const times = tasks.length > 0
    ? tasks.map(({ startedAt, createdAt }) => startedAt ?? createdAt)
    : (service.deployments ?? []).map(({ updatedAt, createdAt }) => updatedAt ?? createdAt);
  return dateOf(latest(times));
}

function latest(times: readonly (Date | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined).map(Number);
  return known.length === 0 ? undefined : Math.max(...known);
}

function earliest(times: readonly (Date | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined).map(Number);
  return known.length === 0 ? undefined : Math.min(...known);
}

function dateOf(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
