import {
  ClusterNotFoundException,
  DescribeServicesCommand,
  type ECSClient,
  ServiceNotActiveException,
  ServiceNotFoundException,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import type { Names } from "./names.ts";
import type { Say } from "./say.ts";

/** Milliseconds that servers get to stop: half a minute to drain, and what ECS takes around it. */
const TIMEOUT = 300_000;

/** How servers are waited for. */
export interface StopOptions {
  /** Milliseconds between two looks. @default 2000 */
  readonly poll?: number | undefined;
  /** Milliseconds until they are waited for no more. @default 300000 */
  readonly timeout?: number;
}

/**
 * Stops the servers of an installation and waits until they are gone, so that nothing is taken away from under them
 * while they drain. Servers that do not go in time are left to what comes next, which is told.
 */
export async function stopServers(
  ecs: ECSClient,
  { cluster, service }: Names,
  say: Say,
  { poll = 2_000, timeout = TIMEOUT }: StopOptions = {},
): Promise<void> {
  try {
    await ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount: 0 }));
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  const deadline = performance.now() + timeout;
  for (;;) {
    const { services = [] } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
    const { runningCount = 0, pendingCount = 0 } = services[0] ?? {};
    const left = runningCount + pendingCount;
    if (left === 0) return say(`servers: none run`);
    if (performance.now() >= deadline) return say(`servers: ${left} still run; this goes on without waiting`);
    say(`servers: waiting for ${left} to stop`);
    await new Promise((resolve) => setTimeout(resolve, poll));
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ClusterNotFoundException || error instanceof ServiceNotFoundException ||
    error instanceof ServiceNotActiveException;
}
