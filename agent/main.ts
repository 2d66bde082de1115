import { runConfigured, runService } from "../shared/cli/run_service.ts";
import { reloadSignals, stopSignals } from "../shared/cli/signals.ts";
import { EXIT, terminal } from "../shared/cli/terminal.ts";
import { enterUserDirectory } from "../shared/cli/user_directory.ts";
import { configFile } from "../shared/config/config_file.ts";
import { configureLog } from "../shared/log.ts";
import { startAgent } from "./agent.ts";
import { agentCli, type AgentCommands } from "./cli/cli.ts";
import { type AgentConfig, loadAgentConfig, loadLocalPorts } from "./config/config.ts";
import { showStatus } from "./console/status_command.ts";
import { createDoctorContext } from "./doctor_context.ts";
import { proxyEnvironment } from "./shell/proxy_environment.ts";
import { warnIfNothingListens } from "./shell/proxy_check.ts";
import { runCommand } from "./shell/run_command.ts";
import { settingLines } from "./shell/shells.ts";

const NAME = "sallyport-agent";

/** Reads `--config`, or agent.yaml in the user's working directory. */
const options = async (file: string | undefined) => ({
  file: await configFile(file, "agent.yaml"),
  environment: Deno.env.toObject(),
});
const loadAgent = async (file: string | undefined) => loadAgentConfig(await options(file));
const loadPorts = async (file: string | undefined) => loadLocalPorts(await options(file));
const loadVariables = async (file: string | undefined, withGit: boolean) => {
  const { proxy } = await loadPorts(file);
  return { proxy, variables: proxyEnvironment(proxy, { withGit }) };
};

const commands: AgentCommands = {
  run: (file) =>
    runService<AgentConfig>({
      name: NAME,
      load: () => loadAgent(file),
      start(config) {
        const format = Deno.stderr.isTerminal() ? "text" : "json";
        configureLog({ level: config.logLevel, format, color: !Deno.noColor });
        return startAgent(config);
      },
      signals: stopSignals,
      reloadSignals,
      terminal,
    }),
  status: (file, asJson) =>
    runConfigured(
      { name: NAME, terminal, load: () => loadPorts(file) },
      ({ consolePort }) => showStatus(consolePort, asJson, terminal),
    ),
  env: (file, shell, withGit) =>
    runConfigured({ name: NAME, terminal, load: () => loadVariables(file, withGit) }, ({ variables }) => {
      terminal.out(settingLines(shell ?? Deno.env.get("SHELL") ?? "sh", variables));
      return Promise.resolve(EXIT.ok);
    }),
  exec: (file, words, withGit) =>
    runConfigured(
      { name: NAME, terminal, load: () => loadVariables(file, withGit) },
      async ({ proxy, variables }) => {
        await warnIfNothingListens(proxy, terminal);
        return await runCommand(words, variables, terminal);
      },
    ),
  async doctor(file, options, asJson) {
    const { runDoctor } = await import("./doctor/doctor.ts");
    return await runDoctor(createDoctorContext(() => loadAgent(file)), options, asJson, terminal);
  },
  // Loaded on demand: a running agent does not issue certificates.
  certificates: () => import("./certs/commands.ts"),
};

enterUserDirectory();

// The executable starts every command with the permissions that some command needs: only `certs` writes files, and only
// `exec` runs programs.
if (Deno.args[0] !== "certs") await Deno.permissions.revoke({ name: "write" });
if (Deno.args[0] !== "exec") await Deno.permissions.revoke({ name: "run" });

Deno.exit(await agentCli(Deno.args, commands, terminal));
