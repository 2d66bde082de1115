import type { Architecture } from "../lambdas/deno_binary.ts";
import type { LambdaPackages, PackageInit } from "../lambdas/package.ts";
import type { Account } from "./aws.ts";
import type { Print } from "./progress.ts";

/** What to deploy. */
export interface DeployOptions {
  readonly name: string;
  /** Folder created by `certs init`. */
  readonly certs: string;
  /** Whether to deploy without a revocation list even where one is in force. */
  readonly withoutCrl: boolean;
  /** Whether a revocation list may replace a newer one. @default false */
  readonly allowOlderCrl?: boolean;
  /** `clients.allow` of server and functions, in the form of the environment; undefined keeps the current value. */
  readonly clientsAllow: string | undefined;
  /** The agent's configuration file, which gets the endpoints. */
  readonly agentFile: string;
  /** An existing image; undefined builds one. */
  readonly image: string | undefined;
  readonly arch: Architecture;
  readonly listenPort: number;
  readonly servers: number;
  readonly idleAfter: string;
  /** Limit of concurrent executions of each function, 0 for none; undefined keeps the current value. */
  readonly reservedConcurrency: number | undefined;
  /** An existing VPC with public subnets; undefined creates one. */
  readonly network: { readonly vpc: string; readonly subnets: readonly string[] } | undefined;
  /** Monthly budget in US dollars, and who gets an email about it; undefined for none. */
  readonly budget: { readonly amount: number; readonly email: string } | undefined;
  /** Only prints the plan. */
  readonly dryRun: boolean;
}

/** What the commands need from their caller. */
export interface DeployContext {
  readonly print: Print;
  /** Asks the user; false cancels. */
  confirm(question: string): boolean;
  signIn(): Promise<Account>;
  packageLambdas(options: PackageInit): Promise<LambdaPackages>;
  /** Milliseconds between two requests to CloudFormation. @default 2000 */
  readonly poll?: number;
}

/** Prints what will be deployed, and what it costs. */
export function printPlan(
  options: DeployOptions,
  account: Account,
  builder: string | undefined,
  print: Print,
): void {
  const { name, arch, listenPort, servers, idleAfter, network, budget } = options;
  const costs = estimateCosts(arch);
  print(`Account ${account.id}, region ${account.region}`);
  print(
    `Installation "${name}": ${servers} server(s), Fargate ${arch}, 0.25 vCPU, 512 MB, port ${listenPort}`,
  );
  print(`  image      ${options.image ?? `built here with ${builder}`}`);
  print(
    `  network    ${network === undefined ? "a new VPC" : `${network.vpc}, ${network.subnets.join(", ")}`}`,
  );
  print(`  sleeps     after ${idleAfter} without traffic`);
  print(
    `  certs      ${options.certs}: server.crt, server.key, ca.crt, and crl.pem if it exists; no other key is uploaded`,
  );
  print(`  clients    ${clientsShown(options.clientsAllow)}`);
  print(
    `  budget     ${
      budget === undefined ? "none (--budget-email)" : `${budget.amount} USD, ${budget.email}`
    }`,
  );
  print(
    `  cost       about ${costs.monthAtRest.toFixed(2)} USD a month at rest, ${
      costs.hourAwake.toFixed(3)
    } USD ` +
      "an hour per running server, plus traffic to the internet; list prices of us-east-1",
  );
}

function clientsShown(rules: string | undefined): string {
  if (rules === undefined) return "unchanged; initially every client of the CA (--clients-allow)";
  return rules.trim() === "" ? "every client of the CA" : rules;
}

/**
 * List prices of us-east-1 in US dollars, as of November 2025; other regions differ by a few percent to a third. https://aws.amazon.com/fargate/pricing/, /vpc/pricing/, /ecr/pricing/, /cloudwatch/pricing/
 */
const PRICES = {
  vcpuHour: { arm64: 0.03238, x86_64: 0.04048 },
  gigabyteHour: { arm64: 0.00356, x86_64: 0.004445 },
  addressHour: 0.005,
  /** Of one custom metric, billed per hour in which it is reported. */
  metricHour: 0.3 / 730,
  imageGigabyteMonth: 0.1,
};
const METRICS = 7;
/** Size of three images; the repository keeps up to 20. */
const IMAGES_GB = 0.15;

/** Costs of an installation by list prices, without any free tier. */
interface Costs {
  /** Per hour and running server, without traffic to the internet. */
  readonly hourAwake: number;
  /** Per month without use. */
  readonly monthAtRest: number;
}

function estimateCosts(arch: Architecture): Costs {
  const { vcpuHour, gigabyteHour, addressHour, metricHour, imageGigabyteMonth } = PRICES;
  const server = 0.25 * vcpuHour[arch] + 0.5 * gigabyteHour[arch];
  return {
    hourAwake: server + addressHour + METRICS * metricHour,
    monthAtRest: IMAGES_GB * imageGigabyteMonth,
  };
}
