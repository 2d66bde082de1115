/** `deno task redeploy [--image IMAGE]`: gives the servers of an installation another image, and changes nothing else. */
import { Command } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { type AccountOptions, signIn } from "./cloud/aws.ts";
import { installationOptions } from "./cloud/options.ts";
import { redeploy } from "./cloud/redeploy.ts";

const program = installationOptions(new Command("redeploy"))
  .description("Gives the servers of an installation another image, and changes nothing else")
  .option("--image <image>", "an image that is built already; without it one is built here")
  .action(async (flags: AccountOptions & { name: string; image?: string }) => {
    await redeploy(flags.name, flags.image, {
      say: (line) => terminal.out(`${line}\n`),
      signIn: () => signIn(flags),
    });
  });

Deno.exitCode = await runProgram(program, Deno.args, terminal);
