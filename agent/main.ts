import { runService } from "../shared/cli/run_service.ts";
import { reloadSignals } from "../shared/cli/reload_signals.ts";
import { stopSignals } from "../shared/cli/stop_signals.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { configureLog } from "../shared/log.ts";
import { startAgent } from "./agent.ts";
import { agentCli } from "./cli/cli.ts";
import { type AgentConfig, loadAgentConfig, loadLocalPorts } from "./config.ts";
import { showStatus } from "./console/status_command.ts";
import type { DoctorOptions } from "./doctor/found.ts";
import { doctorSurroundings } from "./doctor_side.ts";
import { proxyEnvironment } from "./shell/proxy_environment.ts";
import { runCommand } from "./shell/run_command.ts";
import { settingLines, type Shell } from "./shell/shells.ts";

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

const localPorts = (file: string | undefined) => loadLocalPorts({ file, environment: Deno.env.toObject() });

const commands = {
  run,
  async status(file: string | undefined, asJson: boolean) {
    return await showStatus((await localPorts(file)).consolePort, asJson, terminal);
  },
  async env(file: string | undefined, shell: Shell, withGit: boolean) {
    terminal.out(settingLines(shell, proxyEnvironment((await localPorts(file)).proxy, { withGit })));
  },
  async exec(file: string | undefined, words: readonly string[], withGit: boolean) {
    return await runCommand(words, proxyEnvironment((await localPorts(file)).proxy, { withGit }));
  },
  async doctor(file: string | undefined, options: DoctorOptions, asJson: boolean) {
    const { runDoctor } = await import("./doctor/doctor_command.ts");
    const load = () => loadAgentConfig({ file, environment: Deno.env.toObject() });
    return await runDoctor(doctorSurroundings(load), options, asJson, terminal);
  },
  // Loaded only when it is asked for: a running agent needs nothing that issues certificates.
  certificates: () => import("./certs/commands.ts"),
};

// In the executable every command starts with what all of them need: only `certs` writes, and only `exec` runs.
if (Deno.args[0] !== "certs") await Deno.permissions.revoke({ name: "write" });
if (Deno.args[0] !== "exec") await Deno.permissions.revoke({ name: "run" });

Deno.exit(await agentCli(Deno.args, commands, terminal));
