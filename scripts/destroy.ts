/** `deno task destroy`: removes everything that `deno task deploy` made. */
import { Command } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { type AccountOptions, signIn } from "./cloud/aws.ts";
import { destroy } from "./cloud/destroy.ts";
import { installationOptions } from "./cloud/options.ts";

const program = installationOptions(new Command("destroy"))
  .description("Removes everything that deploy made")
  .option("--yes", "ask nothing")
  .action(async (flags: AccountOptions & { name: string; yes?: true }) => {
    await destroy(flags.name, {
      say: (line) => terminal.out(`${line}\n`),
      confirm: (question) => flags.yes === true || globalThis.confirm(question),
      signIn: () => signIn(flags),
    });
  });

Deno.exitCode = await runProgram(program, Deno.args, terminal);
