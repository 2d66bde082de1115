/** `deno task deploy`: makes a server that sleeps until it is needed, in an account of AWS. */
import { Command, InvalidArgumentError, Option } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { type AccountOptions, signIn } from "./cloud/aws.ts";
import { deploy, type DeployOptions } from "./cloud/deploy.ts";
import { idleAfterTime } from "./cloud/idle_after.ts";
import { installationOptions } from "./cloud/options.ts";
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

/** A whole number of at least 1. */
function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new InvalidArgumentError("a whole number of at least 1 is expected");
  }
  return Number(text);
}

/** What the template takes. */
function limit(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new InvalidArgumentError("a whole number up to 100 is expected, 0 for no limit");
}

function optionsOf(flags: Flags): DeployOptions {
  const { vpc, subnets, budgetEmail } = flags;
  if ((vpc === undefined) !== (subnets === undefined)) {
    throw new Error("Cannot deploy: --vpc and --subnets go together");
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
  .description("Makes a server on AWS that sleeps until an agent needs it, or brings one up to date")
  .option("--certs <dir>", "folder that `deno task certs init` made", "certs")
  .option("--without-crl", "keep no revocation list, also where one is in force")
  .option(
    "--allow-older-crl",
    "deploy crl.pem also where a newer list, or one with more entries, is in force",
  )
  .option(
    "--clients-allow <rules>",
    "clients.allow of server and functions, as in SALLYPORT_CLIENTS__ALLOW; stays until changed",
  )
  .option("--agent-config <file>", "the agent's configuration, which gets the endpoints", "agent.yaml")
  .option("--image <image>", "an image of the server that is built already")
  .addOption(
    new Option("--arch <arch>", "processor of server and functions").choices(ARCHITECTURES).default("arm64"),
  )
  .addOption(new Option("--listen-port <port>", "port of the server").choices(["443", "8443"]).default("443"))
  .option("--servers <count>", "how many servers are woken", count, 1)
  .option("--idle-after <time>", "how long without traffic until they sleep", idleAfterTime, "15m")
  .option(
    "--reserved-concurrency <count>",
    "the most that each function runs at once; stays until changed",
    limit,
  )
  .option("--vpc <id>", "a network of yours in place of a new one")
  .option("--subnets <ids>", "public subnets of it, with commas between")
  .option("--budget-email <address>", "who gets a mail when it costs more than planned")
  .option("--budget-amount <dollars>", "what it may cost in a month", count, 5)
  .option("--dry-run", "only say what would be done")
  .option("--yes", "ask nothing")
  .action(async (flags: Flags) => {
    await deploy(optionsOf(flags), {
      say: (line) => terminal.out(`${line}\n`),
      confirm: (question) => flags.yes === true || globalThis.confirm(question),
      signIn: () => signIn(flags),
      packageLambdas,
    });
  });

Deno.exitCode = await runProgram(program, Deno.args, terminal);
