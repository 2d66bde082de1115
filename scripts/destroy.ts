/** `deno task destroy`: removes everything that `deno task deploy` created. */
import { Command } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { type AccountOptions, signIn } from "./deploy/aws.ts";
import { destroy } from "./deploy/destroy.ts";
import { installationOptions } from "./deploy/options.ts";

const program = installationOptions(new Command("destroy"))
  .description("Removes everything that deploy created")
  .option("--yes", "do not ask for confirmation")
  .action(async (flags: AccountOptions & { name: string; yes?: true }) => {
    await destroy(flags.name, {
      print: (line) => terminal.out(`${line}\n`),
      confirm: (question) => flags.yes === true || globalThis.confirm(question),
      signIn: () => signIn(flags),
    });
  });

Deno.exitCode = await runProgram(program, Deno.args, terminal);
