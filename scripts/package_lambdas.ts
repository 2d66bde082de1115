/** `deno task package-lambdas [--arch arm64|x86_64] [--out DIR]`: packs the runtime layer and the functions. */
import { Command, Option } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { type Architecture, ARCHITECTURES } from "./lambdas/deno_binary.ts";
import { packageLambdas } from "./lambdas/package.ts";

const program = new Command("package-lambdas")
  .description("Packs the runtime layer and the functions for Lambda")
  .addOption(new Option("--arch <arch>", "processor architecture").choices(ARCHITECTURES).default("arm64"))
  .option("--out <dir>", "output folder", ".lambdas")
  .action(async ({ arch, out }: { arch: Architecture; out: string }) => {
    const { layer, functions } = await packageLambdas({ arch, outDir: out });
    for (const path of [layer, ...Object.values(functions)]) {
      const { size } = await Deno.stat(path);
      terminal.out(`${path}  ${(size / 1e6).toFixed(1)} MB\n`);
    }
  });

Deno.exitCode = await runProgram(program, Deno.args, terminal);
