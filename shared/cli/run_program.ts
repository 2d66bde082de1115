import { type Command, CommanderError } from "commander";
import { suggestions } from "../text/suggestions.ts";
import { printable } from "../text/sanitize.ts";
import { errorLines, EXIT, type Terminal } from "./terminal.ts";

/**
 * Parses a command line and runs its action.
 *
 * @param command The program.
 * @returns The exit code: 0, 1 if the action threw, 2 for an invalid command line; errors go to `terminal.err`.
 */
export async function runProgram(
  command: Command,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const unknown = unknownCommand(command, args[0]);
  if (unknown !== undefined) {
    terminal.err(`${command.name()}: ${printable(unknown)}\n`);
    return EXIT.usage;
  }
  let said = "";
  for (const each of [command, ...below(command)]) {
    each.exitOverride().configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      outputError: (text) => said = oneLine(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  }
  try {
    await command.parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      const isMissing = error.code === "commander.missingMandatoryOptionValue";
      const line = isMissing ? unknownOption(command, args) ?? said : said;
      if (line !== "") terminal.err(`${command.name()}: ${printable(line)}\n`);
      return EXIT.usage;
    }
    errorLines(command.name(), error).forEach((line) => terminal.err(line));
    return EXIT.failure;
  }
}

/** With a default command, an unknown command would be an argument too many. */
function unknownCommand({ commands }: Command, word: string | undefined): string | undefined {
  const names = commands.map((each) => each.name());
  if (names.length === 0 || word === undefined || /^(-|help$|$)/.test(word) || names.includes(word)) {
    return undefined;
  }
  return `unknown command '${word}'${meant(suggestions(word, names))}`;
}

/** A mistyped option that is required is missing too: the error about the unknown one helps more. */
function unknownOption(program: Command, args: readonly string[]): string | undefined {
  let command = program;
  for (const word of args) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    command = next;
  }
  const names = command.options.map(({ long }) => long ?? "");
  const unknown = args.map((word) => word.split("=", 1)[0]!)
    .find((word) => /^--./.test(word) && word !== "--help" && !names.includes(word));
  return unknown && `unknown option '${unknown}'${meant(suggestions(unknown, names))}`;
}

function meant(names: readonly string[]): string {
  return names.length === 0 ? "" : ` (Did you mean ${names.join(" or ")}?)`;
}

function below(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...below(each)]);
}

function oneLine(text: string): string {
  return text.replace(/^error: /, "").trim().replace(/\s*\n\s*/g, " ");
}
