import { cannotAsk, EXIT, type Terminal } from "../../shared/cli/terminal.ts";
import { SallyportError } from "../../shared/errors.ts";
import { hostPort } from "../../shared/net/host_port.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import { printable, printableJson } from "../../shared/text/sanitize.ts";
import { CONSOLE_HOST } from "../config/config.ts";
import { fetchStatus } from "./running_agent.ts";
import { statusLines } from "./status.ts";

/**
 * Shows the status of the agent that runs on this machine.
 *
 * @param asJson Prints the JSON of the console instead of text.
 * @returns The exit code: 0 if the tunnel is ready, 1 if it is not or no agent answers.
 */
export async function showStatus(consolePort: number, asJson: boolean, terminal: Terminal): Promise<number> {
  if (consolePort === 0) {
    terminal.err(
      "sallyport-agent: Cannot tell the console's address: console_port is 0; give it a number\n",
    );
    return EXIT.usage;
  }
  const address = hostPort(CONSOLE_HOST, consolePort);
  try {
    const { status, json } = await fetchStatus(consolePort);
    terminal.out(asJson ? `${printableJson(json)}\n` : `${statusLines(status).join("\n")}\n`);
    return status.state === "ready" ? EXIT.ok : EXIT.failure;
  } catch (error) {
    const reason = error instanceof SallyportError
      ? fromOsError(error.cause ?? error, "ask").message.replace(/^Cannot [^]*?: /, "")
      : "what answers is not an agent's console";
    terminal.err(`sallyport-agent: ${printable(cannotAsk("agent", address, reason, "console_port"))}\n`);
    return EXIT.failure;
  }
}
