import { runService, type Service } from "../shared/cli/run_service.ts";
import { reloadSignals, stopSignals } from "../shared/cli/signals.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { configureLog } from "../shared/log.ts";
import { commandLine } from "../shared/cli/command_line.ts";
import { configFile } from "../shared/config/config_file.ts";
import { SallyportError } from "../shared/errors.ts";
import { serverCli } from "./cli/cli.ts";
import { loadServerConfig, type ServerConfig } from "./config/config.ts";
import { askHealth } from "./health/health_check.ts";

/** Starts a server and returns when it is up. */
export type StartServer = (config: ServerConfig) => Promise<Service>;

/** Loads the configuration: from `--config`, or else from server.yaml in the user's working directory. */
async function load(given: string | undefined) {
  const file = await configFile(given, "server.yaml");
  const config = await loadServerConfig({ file, environment: Deno.env.toObject() });
  return { file, config };
}

/** Without a file, the default paths must exist: where they do not, a configuration file is what is missing. */
async function loadToRun(given: string | undefined): Promise<ServerConfig> {
  const { file, config } = await load(given);
  const { cert } = config.identity;
  if (file !== undefined || !("file" in cert) || await configFile(undefined, cert.file) !== undefined) {
    return config;
  }
  const problem = `no --config was given, there is no server.yaml here, and no ${cert.file}: ` +
    `write server.yaml (README, "Run it for real"), then run ${commandLine("server --config server.yaml")}`;
  throw new SallyportError("bad_request", problem);
}

function run(file: string | undefined, start: StartServer): Promise<number> {
  return runService<ServerConfig>({
    name: "sallyport-server",
    load: () => loadToRun(file),
    start(config) {
      configureLog({ level: config.logLevel });
      return start(config);
    },
    signals: stopSignals,
    reloadSignals,
    terminal,
  });
}

async function health(file: string | undefined): Promise<number> {
  const { healthAddr, healthPort } = (await load(file)).config;
  return await askHealth({ host: healthAddr, port: healthPort }, terminal);
}

/** Runs the server's command line; returns the exit code. */
export function runServer(args: readonly string[], start: StartServer): Promise<number> {
  return serverCli(args, { run: (file) => run(file, start), health }, terminal);
}
