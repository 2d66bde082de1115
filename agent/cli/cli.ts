import { Command, InvalidArgumentError } from "commander";
import { runProgram, type Terminal } from "../../shared/cli/run_program.ts";
import { VERSION } from "../../shared/version.ts";

/** What `certs init` may be told. */
export interface InitOptions {
  /** Folder for certificates and keys; made when it is not there. */
  dir: string;
  /** Name that the server's certificate carries. */
  serverName?: string;
  /** Common name of the client's certificate. */
  clientName?: string;
  /** How long the certificates are good. */
  days?: number;
}

/** What the agent's commands do. */
export interface AgentCommands {
  /** Runs the agent until it is told to stop, and returns the exit code. */
  run(configFile: string | undefined): Promise<number>;
  /** Makes a CA and certificates, and returns the files that it wrote. */
  initCertificates(options: InitOptions): Promise<{ files: readonly string[] }>;
}

/** Runs the agent's command line; returns the exit code. */
export async function agentCli(
  args: readonly string[],
  commands: AgentCommands,
  terminal: Terminal,
): Promise<number> {
  let code: number | undefined;
  const program = new Command("sallyport-agent")
    .description("Local proxy that reaches the web through a Sallyport server")
    .version(VERSION);

  program.command("run", { isDefault: true })
    .description("run the agent (the default)")
    .option("--config <file>", "YAML file; without it, defaults and SALLYPORT_* variables count")
    .action(async ({ config }: { config?: string }) => {
      code = await commands.run(config);
    });

  const certs = program.command("certs").description("certificates for mutual TLS");
  certs.command("init")
    .description("make a private CA, a server certificate and a client certificate; never overwrites")
    .requiredOption("--dir <dir>", "where to put them")
    .option("--server-name <name>", "name in the server's certificate")
    .option("--client-name <name>", "common name of the client's certificate")
    .option("--days <days>", "how long they are good", parseDays)
    .action(async (options: InitOptions) => {
      const { files } = await commands.initCertificates(options);
      terminal.out(files.map((file) => `wrote ${file}\n`).join(""));
    });

  const parsed = await runProgram(program, args, terminal);
  return code ?? parsed;
}

function parseDays(text: string): number {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days > 0) return days;
  throw new InvalidArgumentError("expected a whole number from 1 to 99999.");
}
