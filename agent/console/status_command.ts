import { SallyportError } from "../../shared/errors.ts";
import { escapeForDisplay } from "../../shared/display_json.ts";
import { printable } from "../../shared/display_text.ts";
import { EXIT } from "../../shared/cli/exit.ts";
import type { Terminal } from "../../shared/cli/run_program.ts";
import { askConsole, type ConsoleStatus } from "./ask_console.ts";

/**
 * Asks the agent that runs on this machine how it is.
 *
 * @param asJson Prints what the console answered instead of words.
 * @returns The exit code: 0 when the tunnel is ready, 1 when it is not or no agent answers.
 */
export async function showStatus(consolePort: number, asJson: boolean, terminal: Terminal): Promise<number> {
  try {
    const { status, json } = await askConsole(consolePort);
    terminal.out(asJson ? `${escapeForDisplay(json)}\n` : `${wordsOf(status)}\n`);
    return status.state === "ready" ? EXIT.ok : EXIT.failure;
  } catch (error) {
    const why = error instanceof SallyportError
      ? error.message
      : `127.0.0.1:${consolePort} is no console of an agent`;
    terminal.err(
      `Cannot ask the agent: ${
        printable(why.replace(/^Cannot /, "cannot "))
      }; does it run, with this console_port?\n`,
    );
    return EXIT.failure;
  }
}

function wordsOf(status: ConsoleStatus): string {
  const { state, connections, streams, clients, error, retryInMs, fleet, wakingForMs } = status;
  const lines = [`${state}: ${connections} connections to servers, ${streams} streams, ${clients} clients`];
  if (wakingForMs !== undefined) {
    lines.push(`waking the server for ${seconds(wakingForMs)}; the cloud says ${fleet}`);
  }
  if (error !== undefined) lines.push(error);
  if (retryInMs !== undefined) lines.push(`next attempt in ${seconds(retryInMs)}`);
  return lines.map(printable).join("\n");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
