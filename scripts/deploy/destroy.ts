import {
  ClusterNotFoundException,
  DescribeServicesCommand,
  type ECSClient,
  ServiceNotActiveException,
  ServiceNotFoundException,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { countOf } from "../../shared/text/count_of.ts";
import {
  BatchDeleteImageCommand,
  type ECRClient,
  ListImagesCommand,
  RepositoryNotFoundException,
} from "@aws-sdk/client-ecr";
import { emptyBucket } from "./artefacts.ts";
import { removeCertificates } from "./certificates.ts";
import { type Names, namesOf } from "./names.ts";
import type { DeployContext } from "./plan.ts";
import { type Print, runAllSteps } from "./progress.ts";
import { Stacks } from "./stack.ts";

/**
 * Removes everything that `deploy` created: the private key first, then the rest, even when a part cannot be removed. Parts
 * that are already gone are skipped, so that it can be repeated.
 *
 * @returns Whether it was done: not without confirmation.
 * @throws {Error} At the end, with everything that could not be removed.
 */
export async function destroy(
  name: string,
  { print, confirm, signIn, poll }: Pick<DeployContext, "print" | "confirm" | "signIn" | "poll">,
): Promise<boolean> {
  const account = await signIn();
  const names = namesOf(name);
  print(`Account ${account.id}, region ${account.region}`);
  print(
    `Stacks ${names.stack} and ${names.bootstrap} will be removed, with images, code and logs, and the parameters`,
  );
  print(`  ${Object.values(names.parameters).join(", ")}`);
  if (!confirm(`Remove "${name}" permanently?`)) return false;
  const stacks = new Stacks(account.cloudFormation, print, poll);
  await runAllSteps(`remove all of "${name}", fix the following and run destroy again`, [
    // First: whatever else stays, the private key must not.
    () => removeCertificates(account.ssm, names, print),
    () => stopServers(account.ecs, names, print, { poll }),
    () => stacks.remove(names.stack),
    async () => {
      const bootstrap = await stacks.describe(names.bootstrap);
      const bucket = bootstrap?.Outputs?.find(({ OutputKey }) => OutputKey === "ArtefactBucket")?.OutputValue;
      if (bucket !== undefined) await emptyBucket(account.s3, bucket, print);
    },
    () => removeImages(account.ecr, names.repository, print),
    () => stacks.remove(names.bootstrap),
  ]);
  print(`"${name}" is removed; the certificates and the agent's configuration on this machine are kept`);
  return true;
}

async function removeImages(ecr: ECRClient, repositoryName: string, print: Print): Promise<void> {
  try {
    for (;;) {
      const { imageIds = [] } = await ecr.send(new ListImagesCommand({ repositoryName }));
      if (imageIds.length === 0) return;
      await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds }));
      print(`repository ${repositoryName}: ${countOf(imageIds.length, "image")} removed`);
    }
  } catch (error) {
    if (!(error instanceof RepositoryNotFoundException)) throw error;
  }
}

/** Milliseconds that servers get to stop: half a minute to drain, and the time that ECS takes. */
const STOP_TIMEOUT_MS = 300_000;

/** How to wait for servers. */
export interface StopOptions {
  /** Milliseconds between two checks. @default 2000 */
  readonly poll?: number | undefined;
  /** Milliseconds after which to continue without waiting. @default 300000 */
  readonly timeout?: number;
}

/**
 * Stops the servers of an installation and waits until they are gone, so that no resource is removed while they drain.
 * If they do not stop in time, this continues and prints so.
 */
export async function stopServers(
  ecs: ECSClient,
  { cluster, service }: Names,
  print: Print,
  { poll = 2_000, timeout = STOP_TIMEOUT_MS }: StopOptions = {},
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
    if (left === 0) return print("servers: none running");
    if (performance.now() >= deadline) {
      return print(`servers: ${left} still running; continuing without waiting`);
    }
    print(`servers: waiting for ${left} to stop`);
    await new Promise((resolve) => setTimeout(resolve, poll));
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ClusterNotFoundException || error instanceof ServiceNotFoundException ||
    error instanceof ServiceNotActiveException;
}
