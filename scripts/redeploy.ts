/** `deno task redeploy [--image IMAGE]`: updates the server image of an installation, and nothing else. */
import { Command } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { type AccountOptions, signIn } from "./deploy/aws.ts";
import { installationOptions } from "./deploy/options.ts";
import { redeploy } from "./deploy/redeploy.ts";

const program = installationOptions(new Command("redeploy"))
  .description("Updates the server image of an installation, and nothing else")
  .option("--image <image>", "an existing image of the server (default: build one)")
  .action(async (flags: AccountOptions & { name: string; image?: string }) => {
    await redeploy(flags.name, flags.image, {
      print: (line) => terminal.out(`${line}\n`),
      signIn: () => signIn(flags),
    });
  });

Deno.exitCode = await runProgram(program, Deno.args, terminal);
