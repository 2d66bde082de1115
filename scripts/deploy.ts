/** `deno task deploy`: creates a server on AWS that sleeps until it is needed. */
import { Command, InvalidArgumentError, Option } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { type AccountOptions, signIn } from "./deploy/aws.ts";
import { deploy } from "./deploy/deploy.ts";
import { idleAfterTime, installationOptions } from "./deploy/options.ts";
import type { DeployOptions } from "./deploy/plan.ts";
import { type Architecture, ARCHITECTURES } from "./lambdas/deno_binary.ts";
import { packageLambdas } from "./lambdas/package.ts";

interface Flags extends AccountOptions {
  readonly name: string;
  readonly certs: string;
  readonly withoutCrl?: true;
  readonly allowOlderCrl?: true;
  readonly clientsAllow?: string;
  readonly agentConfig: string;
  readonly image?: string;
  readonly arch: Architecture;
  readonly listenPort: "443" | "8443";
  readonly servers: number;
  readonly idleAfter: string;
  readonly reservedConcurrency?: number;
  readonly vpc?: string;
  readonly subnets?: string;
  readonly budgetEmail?: string;
  readonly budgetAmount: number;
  readonly dryRun?: true;
  readonly yes?: true;
}

/** Parses a whole number of at least 1. */
function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new InvalidArgumentError("expected a whole number of at least 1");
  }
  return Number(text);
}

/** Parses a limit as the template does. */
function limit(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new InvalidArgumentError("expected a whole number up to 100, 0 for no limit");
}

function optionsOf(flags: Flags): DeployOptions {
  const { vpc, subnets, budgetEmail } = flags;
  if ((vpc === undefined) !== (subnets === undefined)) {
    throw new Error("Cannot deploy: --vpc and --subnets must be used together");
  }
  return {
    name: flags.name,
    certs: flags.certs,
    withoutCrl: flags.withoutCrl === true,
    allowOlderCrl: flags.allowOlderCrl === true,
    clientsAllow: flags.clientsAllow,
    agentFile: flags.agentConfig,
    image: flags.image,
    arch: flags.arch,
    listenPort: Number(flags.listenPort),
    servers: flags.servers,
    idleAfter: flags.idleAfter,
    reservedConcurrency: flags.reservedConcurrency,
    network: vpc === undefined ? undefined : { vpc, subnets: subnets!.split(",") },
    budget: budgetEmail === undefined ? undefined : { amount: flags.budgetAmount, email: budgetEmail },
    dryRun: flags.dryRun === true,
  };
}

const program = installationOptions(new Command("deploy"))
  .description("Creates or updates a server on AWS that sleeps until an agent needs it")
  .option("--certs <dir>", "folder created by `deno task certs init`", "certs")
  .option("--without-crl", "deploy without a revocation list, even where one is in force")
  .option(
    "--allow-older-crl",
    "deploy crl.pem even where a newer list, or one with more entries, is in force",
  )
  .option(
    "--clients-allow <rules>",
    "clients.allow of server and functions, as in SALLYPORT_CLIENTS__ALLOW; kept until changed",
  )
  .option("--agent-config <file>", "configuration file of the agent, which gets the endpoints", "agent.yaml")
  .option("--image <image>", "an existing image of the server (default: build one)")
  .addOption(
    new Option("--arch <arch>", "processor architecture of server and functions").choices(ARCHITECTURES)
      .default("arm64"),
  )
  .addOption(new Option("--listen-port <port>", "port of the server").choices(["443", "8443"]).default("443"))
  .option("--servers <count>", "number of servers to wake", count, 1)
  .option("--idle-after <time>", "time without traffic until servers sleep", idleAfterTime, "15m")
  .option(
    "--reserved-concurrency <count>",
    "limit of concurrent executions of each function; kept until changed",
    limit,
  )
  .option("--vpc <id>", "an existing VPC instead of a new one")
  .option("--subnets <ids>", "public subnets of that VPC, separated by commas")
  .option("--budget-email <address>", "who gets an email when it costs more than planned")
  .option("--budget-amount <dollars>", "monthly budget in US dollars", count, 5)
  .option("--dry-run", "only print the plan")
  .option("--yes", "do not ask for confirmation")
  .action(async (flags: Flags) => {
    await deploy(optionsOf(flags), {
      print: (line) => terminal.out(`${line}\n`),
      confirm: (question) => flags.yes === true || globalThis.confirm(question),
      signIn: () => signIn(flags),
      packageLambdas,
    });
  });

Deno.exitCode = await runProgram(program, Deno.args, terminal);
