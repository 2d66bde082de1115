/**
 * `deno task demo`: a private CA, a server, an agent and a sample origin on this machine, ready to be tried with
 * curl or a browser. Ctrl-C stops everything.
 */
import { Command, InvalidArgumentError } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { fetchLibraries, runDemo } from "./demo/run.ts";
import { DEMO_PORTS, type DemoPorts } from "./demo/ports.ts";

/** Reads a TCP port; 0 stands for a free one. */
function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port;
  throw new InvalidArgumentError("a number from 0 to 65535 is expected");
}

const program = new Command("demo").description(
  "Starts a server, an agent and a sample origin on this machine",
)
  .allowExcessArguments(false);
for (const { flag, meaning, default: port } of DEMO_PORTS) {
  program.option(`${flag} <port>`, `${meaning}; 0 picks a free port`, parsePort, port);
}
program.option("--fetch-only", "download what the demo needs, and start nothing")
  .action(async ({ fetchOnly, ...ports }: DemoPorts & { fetchOnly?: true }) => {
    await fetchLibraries();
    if (!fetchOnly) await runDemo(ports);
  });

Deno.exitCode = await runProgram(program, Deno.args, terminal);
