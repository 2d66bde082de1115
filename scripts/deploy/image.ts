import {
  DescribeImagesCommand,
  type ECRClient,
  GetAuthorizationTokenCommand,
  ImageNotFoundException,
} from "@aws-sdk/client-ecr";
import { childEnvironment } from "../process/child_environment.ts";
import type { Architecture } from "../lambdas/deno_binary.ts";
import type { Print } from "./progress.ts";

/** Programs that build and push images, in order of preference. */
const BUILDERS = ["docker", "podman"] as const;
const PLATFORMS = { arm64: "linux/arm64", x86_64: "linux/amd64" } as const;

/** What to build, and where to push it. */
export interface ImagePlan {
  /** Name of the repository. */
  readonly repository: string;
  /** Address of the repository. */
  readonly uri: string;
  /** The commit; it is built only once per processor. */
  readonly commit: string;
  readonly arch: Architecture;
}

/**
 * Finds a working program that builds images.
 *
 * @throws {Error} When there is none.
 */
export async function findBuilder(): Promise<string> {
  for (const builder of BUILDERS) {
    if (await works(builder)) return builder;
  }
  throw new Error(
    `Cannot build the image: neither ${
      BUILDERS.join(" nor ")
    } works here; start one of them, or pass an existing ` +
      "image with --image",
  );
}

/** Builds and pushes the server's image, unless the repository has it; returns its address with the digest. */
export async function pushImage(
  ecr: ECRClient,
  builder: string,
  plan: ImagePlan,
  print: Print,
): Promise<string> {
  const tag = `${plan.commit}-${plan.arch}`;
  const existing = await digestOf(ecr, plan.repository, tag);
  if (existing !== undefined) {
    print(`image ${tag}: exists`);
    return `${plan.uri}@${existing}`;
  }
  const name = `${plan.uri}:${tag}`;
  print(`image ${tag}: building for ${PLATFORMS[plan.arch]} with ${builder}`);
  await run(builder, [
    ...["build", "--platform", PLATFORMS[plan.arch], "--target", "server"],
    ...["--build-arg", `SOURCE_COMMIT=${plan.commit}`, "--tag", name, "."],
  ]);
  const registry = plan.uri.split("/")[0]!;
  await run(builder, ["login", "--username", "AWS", "--password-stdin", registry], await passwordOf(ecr));
  await run(builder, ["push", name]);
  const digest = await digestOf(ecr, plan.repository, tag);
  if (digest === undefined) throw new Error(`Cannot find ${name} in the repository after it was pushed`);
  print(`image ${tag}: pushed`);
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
    return false; // not installed
  }
}

/** @param input Standard input, such as a password: arguments are visible to every user of the machine. */
async function run(program: string, args: readonly string[], input?: string): Promise<void> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: new URL("../../", import.meta.url),
    // Without attestations an image is a single entry of the repository, which keeps a limited number.
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
    throw new Error(`Cannot continue: ${program} ${args[0]} exited with code ${code}; see its output above`);
  }
}
