import { runService } from "../shared/cli/run_service.ts";
import { reloadSignals } from "../shared/cli/reload_signals.ts";
import { stopSignals } from "../shared/cli/stop_signals.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { configureLog } from "../shared/log.ts";
import { serverCli } from "./cli/cli.ts";
import { loadServerConfig, type ServerConfig } from "./config.ts";
import { askHealth } from "./health_check.ts";
import { startServer } from "./server.ts";

const load = (file: string | undefined) => loadServerConfig({ file, environment: Deno.env.toObject() });

function run(file: string | undefined): Promise<number> {
  return runService<ServerConfig>({
    name: "sallyport-server",
    load: () => load(file),
    start(config) {
      configureLog({ level: config.logLevel });
      return startServer(config);
    },
    signals: stopSignals,
    reloadSignals,
    terminal,
  });
}

async function health(file: string | undefined): Promise<number> {
  const { listenAddr, healthPort } = await load(file);
  return await askHealth(listenAddr, healthPort, terminal);
}

Deno.exit(await serverCli(Deno.args, { run, health }, terminal));
