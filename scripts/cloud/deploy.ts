import type { Architecture } from "../lambdas/deno_binary.ts";
import type { LambdaPackages, PackageOptions } from "../lambdas/package.ts";
import { writeAgentFile } from "./agent_file.ts";
import { uploadArtefact } from "./artefacts.ts";
import type { Account } from "./aws.ts";
import { readServerFiles, removeList, requireList, tellListEnd, uploadCertificates } from "./certificates.ts";
import { estimateCosts } from "./costs.ts";
import { findBuilder, pushImage } from "./image.ts";
import { makeLinkedRole } from "./linked_role.ts";
import { requireUsableRules } from "./client_rules.ts";
import { type Names, namesOf } from "./names.ts";
import type { Say } from "./say.ts";
import { sourceTag } from "./source_tag.ts";
import { type Outputs, type StackPlan, Stacks } from "./stack.ts";
import { stackParameters } from "./stack_parameters.ts";

/** What is deployed. */
export interface DeployOptions {
  readonly name: string;
  /** Folder that `certs init` made. */
  readonly certs: string;
  /** Whether no revocation list is wanted where one is in force already. */
  readonly withoutCrl: boolean;
  /** Whether a revocation list may take the place of a newer one. @default false */
  readonly allowOlderCrl?: boolean;
  /** `clients.allow` of server and functions, as the environment has it; undefined keeps what there is. */
  readonly clientsAllow: string | undefined;
  /** The agent's configuration, which gets the endpoints. */
  readonly agentFile: string;
  /** An image that is built already; undefined builds one. */
  readonly image: string | undefined;
  readonly arch: Architecture;
  readonly listenPort: number;
  readonly servers: number;
  readonly idleAfter: string;
  /** The most that each function may run at once, 0 for no limit; undefined keeps what there is. */
  readonly reservedConcurrency: number | undefined;
  /** A network that is there, and public subnets of it; undefined makes one. */
  readonly network: { readonly vpc: string; readonly subnets: readonly string[] } | undefined;
  /** Who gets a mail when it costs more than that many US dollars a month; undefined for nobody. */
  readonly budget: { readonly amount: number; readonly email: string } | undefined;
  /** Only says what would be done. */
  readonly dryRun: boolean;
}

/** What a deployment uses of the world. */
export interface DeployWorld {
  readonly say: Say;
  /** Asks a person; false ends it. */
  confirm(question: string): boolean;
  signIn(): Promise<Account>;
  packageLambdas(options: PackageOptions): Promise<LambdaPackages>;
  /** Milliseconds between two looks at CloudFormation. */
  readonly poll?: number;
}

const ROOT = new URL("../../", import.meta.url);

/**
 * Makes an installation, or brings one up to date; whatever an earlier run did is found and not done again.
 *
 * @returns Whether it is done: not when it was a dry run, or when the person said no.
 * @throws {Error} That says which step failed and what to do; the next run goes on there.
 */
export async function deploy(options: DeployOptions, world: DeployWorld): Promise<boolean> {
  const { say } = world;
  const files = await readServerFiles(options.certs, !options.withoutCrl);
  const builder = options.image === undefined ? await findBuilder() : undefined;
  const account = await world.signIn();
  if (options.clientsAllow !== undefined) requireUsableRules(options.clientsAllow, files.ca);
  tellPlan(options, account, builder, say);
  tellListEnd(options.certs, files, Date.now(), say);
  const names = namesOf(options.name);
  const rules = { allowsOlder: options.allowOlderCrl };
  if (!options.withoutCrl) await requireList(account.ssm, names, options.certs, files, rules);
  if (options.dryRun) {
    say("dry run: nothing was done");
    return false;
  }
  if (!world.confirm("Go on?")) return false;
  const stacks = new Stacks(account.cloudFormation, say, world.poll);
  await makeLinkedRole(account.iam, say);
  const bootstrap = await makeBootstrap(stacks, names, options.name);
  const packages = await world.packageLambdas({ arch: options.arch, outDir: ".lambdas" });
  const image = options.image ?? await pushImage(account.ecr, builder!, {
    repository: names.repository,
    uri: bootstrap["RepositoryUri"]!,
    commit: await sourceTag(),
    arch: options.arch,
  }, say);
  await uploadCertificates(account.ssm, names, files, say);
  const code = await uploadCode(account, bootstrap["ArtefactBucket"]!, packages, say);
  const outputs = await makeMain(
    stacks,
    options,
    (before) => stackParameters(options, names, files, { ...code, Image: image }, before),
  );
  // Only now that nothing reads it any more.
  if (files.crl === undefined) await removeList(account.ssm, names, say);
  await tellAgent(options, files.crl !== undefined, outputs, say);
  return true;
}

/** Uploads what of the code is new; returns the parameters that name it. */
async function uploadCode(
  { s3 }: Account,
  bucket: string,
  { layer, functions }: LambdaPackages,
  say: Say,
): Promise<Record<string, string>> {
  const keys: Record<string, string> = { ArtefactBucket: bucket };
  const files = {
    LayerKey: layer,
    WakeKey: functions.wake,
    QueryKey: functions.query,
    SleepKey: functions.sleep,
    KillKey: functions.kill,
  };
  for (const [key, path] of Object.entries(files)) keys[key] = await uploadArtefact(s3, bucket, path, say);
  return keys;
}

async function makeBootstrap(stacks: Stacks, names: Names, name: string): Promise<Outputs> {
  return await stacks.apply({
    name: names.bootstrap,
    template: await Deno.readTextFile(new URL("lambdas/bootstrap.yaml", ROOT)),
    parameters: () => [{ ParameterKey: "Name", ParameterValue: name }],
    tag: { key: "sallyport", value: name },
  });
}

/**
 * Makes the stack with all the rest, or changes it. One that was made is changed once more, to no number of servers
 * at all: a later change that fails goes back to what the stack said before, and would stop servers that run by then.
 */
async function makeMain(
  stacks: Stacks,
  { name }: DeployOptions,
  parameters: StackPlan["parameters"],
): Promise<Outputs> {
  let wasMade = false;
  const plan: StackPlan = {
    name: namesOf(name).stack,
    template: await Deno.readTextFile(new URL("lambdas/template.yaml", ROOT)),
    parameters(before) {
      wasMade = before === undefined;
      return parameters(before);
    },
    tag: { key: "sallyport", value: name },
  };
  const outputs = await stacks.apply(plan);
  return wasMade ? await stacks.apply({ ...plan, template: undefined }) : outputs;
}

function tellPlan(options: DeployOptions, account: Account, builder: string | undefined, say: Say): void {
  const { name, arch, listenPort, servers, idleAfter, network, budget } = options;
  const costs = estimateCosts(arch);
  say(`Account ${account.id}, region ${account.region}`);
  say(`Installation "${name}": ${servers} server(s), Fargate ${arch}, 0.25 vCPU, 512 MB, port ${listenPort}`);
  say(`  image      ${options.image ?? `built here with ${builder}`}`);
  say(
    `  network    ${network === undefined ? "a new one" : `${network.vpc}, ${network.subnets.join(", ")}`}`,
  );
  say(`  sleeps     after ${idleAfter} without traffic`);
  say(
    `  certs      ${options.certs}: server.crt, server.key, ca.crt and crl.pem where it is; no other key leaves here`,
  );
  say(`  clients    ${clientsShown(options.clientsAllow)}`);
  say(
    `  budget     ${
      budget === undefined ? "none (--budget-email)" : `${budget.amount} USD, ${budget.email}`
    }`,
  );
  say(
    `  cost       about ${costs.monthAtRest.toFixed(2)} USD a month at rest, ${
      costs.hourAwake.toFixed(3)
    } USD ` +
      "an hour for each server awake, and traffic to the internet; list prices of us-east-1",
  );
}

function clientsShown(rules: string | undefined): string {
  if (rules === undefined) return "as they were deployed; every client of the CA at first (--clients-allow)";
  return rules.trim() === "" ? "every client of the CA" : rules;
}

async function tellAgent(
  options: DeployOptions,
  hasCrl: boolean,
  outputs: Outputs,
  say: Say,
): Promise<void> {
  const changed = await writeAgentFile(options.agentFile, { folder: options.certs, hasCrl }, {
    wake_endpoint: outputs["WakeEndpoint"] ?? "",
    query_endpoint: outputs["QueryEndpoint"] ?? "",
    kill_endpoint: outputs["KillEndpoint"] ?? "",
  });
  say(`${options.agentFile}: ${changed.length === 0 ? "unchanged" : `wrote ${changed.join(", ")}`}`);
  say(`Ready: deno task agent --config ${options.agentFile}`);
}
