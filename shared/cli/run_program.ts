import { type Command, CommanderError } from "commander";
import { printable } from "../display_text.ts";
import { EXIT } from "./exit.ts";
import { complaint } from "./explain.ts";

/** Where a program's words go; each text ends with a line end. */
export interface Terminal {
  /** What was asked for. */
  out(text: string): void;
  /** What went wrong. */
  err(text: string): void;
}

/**
 * Parses a command line and runs the action that it names.
 *
 * @param command The program; what its actions return is the exit code.
 * @returns The exit code: 2 for a command line that makes no sense, which was explained to `terminal.err`.
 */
export async function runProgram(
  command: Command,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  for (const each of [command, ...below(command)]) {
    each.exitOverride().configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      outputError: (text, write) => write(`${command.name()}: ${printable(oneLine(text))}\n`),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  }
  try {
    await command.parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    complaint(command.name(), error).forEach((line) => terminal.err(line));
    return EXIT.failure;
  }
}

function below(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...below(each)]);
}

function oneLine(text: string): string {
  return text.replace(/^error: /, "").trim().replace(/\s*\n\s*/g, " ");
}
