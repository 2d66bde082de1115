import {
  BatchDeleteImageCommand,
  type ECRClient,
  ListImagesCommand,
  RepositoryNotFoundException,
} from "@aws-sdk/client-ecr";
import { allSteps } from "./all_steps.ts";
import { emptyBucket } from "./artefacts.ts";
import type { DeployWorld } from "./deploy.ts";
import { removeCertificates } from "./certificates.ts";
import { namesOf } from "./names.ts";
import type { Say } from "./say.ts";
import { Stacks } from "./stack.ts";
import { stopServers } from "./stop_servers.ts";

/**
 * Removes everything that `deploy` made: the private key first, then the rest, also when a part cannot be removed. What
 * is gone already is passed over, so that it can be run again.
 *
 * @returns Whether it is done: not when the person said no.
 * @throws {Error} At the end, with everything that could not be removed.
 */
export async function destroy(
  name: string,
  { say, confirm, signIn, poll }: Pick<DeployWorld, "say" | "confirm" | "signIn" | "poll">,
): Promise<boolean> {
  const account = await signIn();
  const names = namesOf(name);
  say(`Account ${account.id}, region ${account.region}`);
  say(
    `Removes the stacks ${names.stack} and ${names.bootstrap}, their images, code and logs, and the parameters`,
  );
  say(`  ${Object.values(names.parameters).join(", ")}`);
  if (!confirm(`Remove "${name}" for good?`)) return false;
  const stacks = new Stacks(account.cloudFormation, say, poll);
  await allSteps(`remove all of "${name}", run destroy again when this is solved`, [
    // First of all: whatever else stays, a private key must not.
    () => removeCertificates(account.ssm, names, say),
    () => stopServers(account.ecs, names, say, { poll }),
    () => stacks.remove(names.stack),
    async () => {
      const bootstrap = await stacks.describe(names.bootstrap);
      const bucket = bootstrap?.Outputs?.find(({ OutputKey }) => OutputKey === "ArtefactBucket")?.OutputValue;
      if (bucket !== undefined) await emptyBucket(account.s3, bucket, say);
    },
    () => removeImages(account.ecr, names.repository, say),
    () => stacks.remove(names.bootstrap),
  ]);
  say(`"${name}" is gone; the certificates and the agent's configuration on this machine stay`);
  return true;
}

async function removeImages(ecr: ECRClient, repositoryName: string, say: Say): Promise<void> {
  try {
    for (;;) {
      const { imageIds = [] } = await ecr.send(new ListImagesCommand({ repositoryName }));
      if (imageIds.length === 0) return;
      await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds }));
      say(`repository ${repositoryName}: ${imageIds.length} images removed`);
    }
  } catch (error) {
    if (!(error instanceof RepositoryNotFoundException)) throw error;
  }
}
