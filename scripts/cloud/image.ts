import {
  DescribeImagesCommand,
  type ECRClient,
  GetAuthorizationTokenCommand,
  ImageNotFoundException,
} from "@aws-sdk/client-ecr";
import { childEnvironment } from "../child_environment.ts";
import type { Architecture } from "../lambdas/deno_binary.ts";
import type { Say } from "./say.ts";

/** Programs that build and push images, in the order in which they are tried. */
const BUILDERS = ["docker", "podman"] as const;
const PLATFORMS = { arm64: "linux/arm64", x86_64: "linux/amd64" } as const;

/** What is built, and where it goes. */
export interface ImagePlan {
  /** Name of the repository. */
  readonly repository: string;
  /** Address of the repository. */
  readonly uri: string;
  /** The commit; the same one is never built twice for a processor. */
  readonly commit: string;
  readonly arch: Architecture;
}

/**
 * The program that builds images on this machine.
 * @throws {Error} When there is none that works.
 */
export async function findBuilder(): Promise<string> {
  for (const builder of BUILDERS) {
    if (await works(builder)) return builder;
  }
  throw new Error(
    `Cannot build the image: neither ${
      BUILDERS.join(" nor ")
    } works here; start one of them, or name an image ` +
      "that is built already with --image",
  );
}

/** Builds the server's image and pushes it, unless the repository has it; returns its address with its digest. */
export async function pushImage(ecr: ECRClient, builder: string, plan: ImagePlan, say: Say): Promise<string> {
  const tag = `${plan.commit}-${plan.arch}`;
  const there = await digestOf(ecr, plan.repository, tag);
  if (there !== undefined) {
    say(`image ${tag}: is there`);
    return `${plan.uri}@${there}`;
  }
  const name = `${plan.uri}:${tag}`;
  say(`image ${tag}: building for ${PLATFORMS[plan.arch]} with ${builder}`);
  await run(builder, [
    ...["build", "--platform", PLATFORMS[plan.arch], "--target", "server"],
    ...["--build-arg", `SOURCE_COMMIT=${plan.commit}`, "--tag", name, "."],
  ]);
  const registry = plan.uri.split("/")[0]!;
  await run(builder, ["login", "--username", "AWS", "--password-stdin", registry], await passwordOf(ecr));
  await run(builder, ["push", name]);
  const digest = await digestOf(ecr, plan.repository, tag);
  if (digest === undefined) throw new Error(`Cannot find ${name} in the repository after it was pushed`);
  say(`image ${tag}: pushed`);
  return `${plan.uri}@${digest}`;
}

async function digestOf(
  ecr: ECRClient,
  repositoryName: string,
  imageTag: string,
): Promise<string | undefined> {
  try {
    const command = new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag }] });
    return (await ecr.send(command)).imageDetails?.[0]?.imageDigest;
  } catch (error) {
    if (error instanceof ImageNotFoundException) return undefined;
    throw error;
  }
}

async function passwordOf(ecr: ECRClient): Promise<string> {
  const { authorizationData = [] } = await ecr.send(new GetAuthorizationTokenCommand({}));
  return atob(authorizationData[0]?.authorizationToken ?? "").replace(/^AWS:/, "");
}

async function works(program: string): Promise<boolean> {
  try {
    const command = new Deno.Command(program, {
      args: ["info"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    return (await command.output()).success;
  } catch {
    return false; // it is not there, which is one way not to work
  }
}

/** @param input What it reads, such as a password: arguments can be seen by everybody on the machine. */
async function run(program: string, args: readonly string[], input?: string): Promise<void> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: new URL("../../", import.meta.url),
    // Without records of the build an image is one entry of the repository, which keeps a number of them.
    env: { ...childEnvironment(), BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
    clearEnv: true,
    stdin: input === undefined ? "null" : "piped",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { success, code } = await child.status;
  if (!success) {
    throw new Error(`Cannot go on: ${program} ${args[0]} ended with code ${code}; it says why above`);
  }
}
