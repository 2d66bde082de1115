import type { Service, Task } from "@aws-sdk/client-ecs";
import { failuresOf } from "./problem.ts";

/** Failures in a row that count as a series: a single one may be a coincidence. */
const SERIES = 3;

/**
 * When the newest server started, for the decision whether servers are idle: the start of the newest task, or its
 * creation while it has not started. When servers fail one after the other, each is new, and each is billed: then the
 * first of the series counts. Without any task, the last change of the service counts.
 *
 * @param tasks Tasks that are running or about to.
 * @param stopped Stopped tasks that ECS still lists, for about an hour.
 * @returns undefined when ECS does not say.
 */
export function newestStart(
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
