import { runService } from "../shared/cli/run_service.ts";
import { reloadSignals } from "../shared/cli/reload_signals.ts";
import { stopSignals } from "../shared/cli/stop_signals.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { configureLog } from "../shared/log.ts";
import { serverCli } from "./cli/cli.ts";
import { loadServerConfig, type ServerConfig } from "./config.ts";
import { startServer } from "./server.ts";

function run(file: string | undefined): Promise<number> {
  return runService<ServerConfig>({
    name: "sallyport-server",
    load: () => loadServerConfig({ file, environment: Deno.env.toObject() }),
    start(config) {
      configureLog({ level: config.logLevel });
      return startServer(config);
    },
    signals: stopSignals,
    reloadSignals,
    terminal,
  });
}

Deno.exit(await serverCli(Deno.args, { run }, terminal));
