import type { Parameter, Stack } from "@aws-sdk/client-cloudformation";
import { findBuilder, pushImage } from "./image.ts";
import { namesOf } from "./names.ts";
import type { DeployContext } from "./plan.ts";
import { sourceTag } from "./source_tag.ts";
import { Stacks } from "./stack.ts";
import type { Architecture } from "../lambdas/deno_binary.ts";

/**
 * Updates the server image of an installation, and nothing else: all other parameters keep their values, and the number
 * of servers does not change.
 *
 * @param image An existing image; undefined builds one.
 * @throws {Error} When the installation does not exist, or CloudFormation fails.
 */
export async function redeploy(
  name: string,
  image: string | undefined,
  { print, signIn, poll }: Pick<DeployContext, "print" | "signIn" | "poll">,
): Promise<void> {
  const account = await signIn();
  const names = namesOf(name);
  const stacks = new Stacks(account.cloudFormation, print, poll);
  const stack = await stacks.describe(names.stack);
  const arch = parametersOf(name, stack).find(({ ParameterKey }) => ParameterKey === "Architecture")
    ?.ParameterValue as Architecture;
  const next = image ?? await pushImage(account.ecr, await findBuilder(), {
    repository: names.repository,
    uri: `${account.id}.dkr.ecr.${account.region}.amazonaws.com/${names.repository}`,
    commit: await sourceTag(),
    arch,
  }, print);
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
  print(`Server image: ${next}; running servers are replaced one at a time`);
}

/** @throws {Error} When the stack does not exist. */
function parametersOf(name: string, stack: Stack | undefined): Parameter[] {
  if (stack !== undefined) return stack.Parameters ?? [];
  throw new Error(`Cannot redeploy "${name}": stack not found; run deploy first`);
}
