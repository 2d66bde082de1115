import type { Parameter, Stack } from "@aws-sdk/client-cloudformation";
import type { DeployWorld } from "./deploy.ts";
import { findBuilder, pushImage } from "./image.ts";
import { namesOf } from "./names.ts";
import { sourceTag } from "./source_tag.ts";
import { Stacks } from "./stack.ts";
import type { Architecture } from "../lambdas/deno_binary.ts";

/**
 * Gives an installation another image of the server, and changes nothing else: everything but the image stays as it
 * was deployed, and how many servers run is left alone.
 *
 * @param image One that is built already; undefined builds one.
 * @throws {Error} When there is no such installation, or CloudFormation fails.
 */
export async function redeploy(
  name: string,
  image: string | undefined,
  { say, signIn, poll }: Pick<DeployWorld, "say" | "signIn" | "poll">,
): Promise<void> {
  const account = await signIn();
  const names = namesOf(name);
  const stacks = new Stacks(account.cloudFormation, say, poll);
  const stack = await stacks.describe(names.stack);
  const arch = parametersOf(name, stack).find(({ ParameterKey }) => ParameterKey === "Architecture")
    ?.ParameterValue as Architecture;
  const next = image ?? await pushImage(account.ecr, await findBuilder(), {
    repository: names.repository,
    uri: `${account.id}.dkr.ecr.${account.region}.amazonaws.com/${names.repository}`,
    commit: await sourceTag(),
    arch,
  }, say);
  const changes: Record<string, string> = { Image: next, IsNew: "false" };
  await stacks.apply({
    name: names.stack,
    template: undefined,
    parameters: (before) =>
      parametersOf(name, before).map(({ ParameterKey = "", ParameterValue = "" }) => {
        return { ParameterKey, ParameterValue: changes[ParameterKey] ?? ParameterValue };
      }),
    tag: { key: "sallyport", value: name },
  });
  say(`Server image: ${next}; servers that run are replaced one after the other`);
}

/** @throws {Error} When there is no stack. */
function parametersOf(name: string, stack: Stack | undefined): Parameter[] {
  if (stack !== undefined) return stack.Parameters ?? [];
  throw new Error(`Cannot redeploy "${name}": there is no stack of that name; run deploy`);
}
