import type { LambdaPackages } from "../lambdas/package.ts";
import { writeAgentFile } from "./agent_file.ts";
import { uploadArtefact } from "./artefacts.ts";
import { type Account, createLinkedRole } from "./aws.ts";
import {
  printListEnd,
  readServerFiles,
  removeList,
  requireList,
  type ServerFiles,
  uploadCertificates,
} from "./certificates.ts";
import { findBuilder, pushImage } from "./image.ts";
import { type Names, namesOf } from "./names.ts";
import { type DeployContext, type DeployOptions, printPlan } from "./plan.ts";
import type { Print } from "./progress.ts";
import { sourceTag } from "./source_tag.ts";
import { type Outputs, type StackPlan, Stacks } from "./stack.ts";
import { requireUsableRules, stackParameters } from "./stack_parameters.ts";

const ROOT = new URL("../../", import.meta.url);

/**
 * Creates an installation, or updates one; everything that an earlier run did is found and not repeated.
 *
 * @returns Whether it was done: not for a dry run, and not without confirmation.
 * @throws {Error} With the step that failed and what to do; the next run continues there.
 */
export async function deploy(options: DeployOptions, context: DeployContext): Promise<boolean> {
  const files = await readServerFiles(options.certs, !options.withoutCrl);
  const builder = options.image === undefined ? await findBuilder() : undefined;
  const account = await context.signIn();
  await checkPlan(options, account, builder, files, context.print);
  if (options.dryRun) {
    context.print("dry run: nothing was changed");
    return false;
  }
  if (!context.confirm("Continue?")) return false;
  await apply(options, account, builder, files, context);
  return true;
}

/** Prints the plan, and makes sure that it can be deployed. */
async function checkPlan(
  options: DeployOptions,
  account: Account,
  builder: string | undefined,
  files: ServerFiles,
  print: Print,
): Promise<void> {
  if (options.clientsAllow !== undefined) requireUsableRules(options.clientsAllow, files.ca);
  printPlan(options, account, builder, print);
  printListEnd(options.certs, files, Date.now(), print);
  if (options.withoutCrl) return;
  const rules = { allowsOlder: options.allowOlderCrl };
  await requireList(account.ssm, namesOf(options.name), options.certs, files, rules);
}

async function apply(
  options: DeployOptions,
  account: Account,
  builder: string | undefined,
  files: ServerFiles,
  { print, poll, packageLambdas }: DeployContext,
): Promise<void> {
  const { name, arch } = options;
  const names = namesOf(name);
  const stacks = new Stacks(account.cloudFormation, print, poll);
  await createLinkedRole(account.iam, print);
  const bootstrap = await applyBootstrap(stacks, names, name);
  const packages = await packageLambdas({ arch, outDir: ".lambdas" });
  const uri = bootstrap["RepositoryUri"]!;
  const image = options.image ??
    await pushImage(
      account.ecr,
      builder!,
      { repository: names.repository, uri, commit: await sourceTag(), arch },
      print,
    );
  await uploadCertificates(account.ssm, names, files, print);
  const code = await uploadCode(account, bootstrap["ArtefactBucket"]!, packages, print);
  const outputs = await applyMain(
    stacks,
    options,
    (before) => stackParameters(options, names, files, { ...code, Image: image }, before),
  );
  // Not before: until now the servers may have read it.
  if (files.crl === undefined) await removeList(account.ssm, names, print);
  await configureAgent(options, files.crl !== undefined, outputs, print);
}

/** Uploads the code that is new; returns the parameters for it. */
async function uploadCode(
  { s3 }: Account,
  bucket: string,
  { layer, functions }: LambdaPackages,
  print: Print,
): Promise<Record<string, string>> {
  const keys: Record<string, string> = { ArtefactBucket: bucket };
  const files = {
    LayerKey: layer,
    WakeKey: functions.wake,
    QueryKey: functions.query,
    SleepKey: functions.sleep,
    KillKey: functions.kill,
  };
  for (const [key, path] of Object.entries(files)) keys[key] = await uploadArtefact(s3, bucket, path, print);
  return keys;
}

async function applyBootstrap(stacks: Stacks, names: Names, name: string): Promise<Outputs> {
  return await stacks.apply({
    name: names.bootstrap,
    template: await Deno.readTextFile(new URL("lambdas/bootstrap.yaml", ROOT)),
    parameters: () => [{ ParameterKey: "Name", ParameterValue: name }],
    tag: { key: "sallyport", value: name },
  });
}

/**
 * Creates or updates the main stack. A new one is updated once more, to remove the number of servers from it: a later
 * update that fails is rolled back to the previous template, and would stop servers that run by then.
 */
async function applyMain(
  stacks: Stacks,
  { name }: DeployOptions,
  parameters: StackPlan["parameters"],
): Promise<Outputs> {
  let wasCreated = false;
  const plan: StackPlan = {
    name: namesOf(name).stack,
    template: await Deno.readTextFile(new URL("lambdas/template.yaml", ROOT)),
    parameters(before) {
      wasCreated = before === undefined;
      return parameters(before);
    },
    tag: { key: "sallyport", value: name },
  };
  const outputs = await stacks.apply(plan);
  return wasCreated ? await stacks.apply({ ...plan, template: undefined }) : outputs;
}

async function configureAgent(
  options: DeployOptions,
  hasCrl: boolean,
  outputs: Outputs,
  print: Print,
): Promise<void> {
  const changed = await writeAgentFile(options.agentFile, { folder: options.certs, hasCrl }, {
    wake_endpoint: outputs["WakeEndpoint"] ?? "",
    query_endpoint: outputs["QueryEndpoint"] ?? "",
    kill_endpoint: outputs["KillEndpoint"] ?? "",
  });
  print(`${options.agentFile}: ${changed.length === 0 ? "unchanged" : `wrote ${changed.join(", ")}`}`);
  print(`Ready: deno task agent --config ${options.agentFile}`);
}
