import { runService } from "../shared/cli/run_service.ts";
import { reloadSignals } from "../shared/cli/reload_signals.ts";
import { stopSignals } from "../shared/cli/stop_signals.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { configureLog } from "../shared/log.ts";
import { startAgent } from "./agent.ts";
import { agentCli } from "./cli/cli.ts";
import { type AgentConfig, loadAgentConfig } from "./config.ts";

function run(file: string | undefined): Promise<number> {
  return runService<AgentConfig>({
    name: "sallyport-agent",
    load: () => loadAgentConfig({ file, environment: Deno.env.toObject() }),
    start(config) {
      const format = Deno.stderr.isTerminal() ? "text" : "json";
      configureLog({ level: config.logLevel, format, color: !Deno.noColor });
      return startAgent(config);
    },
    signals: stopSignals,
    reloadSignals,
    terminal,
  });
}

const commands = {
  run,
  // Loaded only when it is asked for: a running agent needs nothing that issues certificates.
  certificates: () => import("./certs/commands.ts"),
};

// In the executable every command starts with what all of them need, and only `certs` writes.
if (Deno.args[0] !== "certs") await Deno.permissions.revoke({ name: "write" });

Deno.exit(await agentCli(Deno.args, commands, terminal));
