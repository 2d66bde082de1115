/**
 * `deno task demo`: a private CA, a server, an agent and a sample origin on this machine, ready to be tried with
 * curl or a browser. Ctrl-C stops everything.
 */
import { Command, InvalidArgumentError } from "commander";
import { runDemo } from "./demo/run.ts";
import { DEMO_PORTS, type DemoPorts } from "./demo/ports.ts";

/** Reads a TCP port; 0 stands for a free one. */
function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535) {
    throw new InvalidArgumentError(`Port is not a number from 0 to 65535: ${text}`);
  }
  return port;
}

const command = new Command("demo").description("Starts server, agent and a sample origin on this machine")
  .allowExcessArguments(false);
for (const { flag, meaning, default: port } of DEMO_PORTS) {
  command.option(`${flag} <port>`, `${meaning}; 0 picks a free port`, parsePort, port);
}
command.parse(Deno.args, { from: "user" });
Deno.exitCode = await runDemo(command.opts<DemoPorts>());
