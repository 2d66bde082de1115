import { runService, type Service } from "../shared/cli/run_service.ts";
import { reloadSignals } from "../shared/cli/reload_signals.ts";
import { stopSignals } from "../shared/cli/stop_signals.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { configureLog } from "../shared/log.ts";
import { serverCli } from "./cli/cli.ts";
import { loadServerConfig, type ServerConfig } from "./config.ts";
import { askHealth } from "./health_check.ts";

/** Starts a server and returns when it is up. */
export type StartServer = (config: ServerConfig) => Promise<Service>;

const load = (file: string | undefined) => loadServerConfig({ file, environment: Deno.env.toObject() });

function run(file: string | undefined, start: StartServer): Promise<number> {
  return runService<ServerConfig>({
    name: "sallyport-server",
    load: () => load(file),
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
  const { healthAddr, healthPort } = await load(file);
  return await askHealth({ host: healthAddr, port: healthPort }, terminal);
}

/** Runs the server's command line; returns the exit code. */
export function runServer(args: readonly string[], start: StartServer): Promise<number> {
  return serverCli(args, { run: (file) => run(file, start), health }, terminal);
}
