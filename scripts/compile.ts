/**
 * `deno task compile [--target TARGET…] [--out DIR]`: compiles agent and server to single executables with built-in
 * permissions, each with a software bill of materials.
 */
import { Command, Option } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { compile, prepare, tidy, writeChecksums } from "./compile/compile.ts";
import { writeSboms } from "./compile/sbom.ts";
import { ownTarget, type Target, TARGETS } from "./compile/targets.ts";

const program = new Command("compile")
  .description("Compiles agent and server to single executables that need nothing else")
  .addOption(
    new Option("--target <target...>", 'platforms to compile for; "all" for all of them; this one by default')
      .choices([...Object.keys(TARGETS), "all"]),
  )
  .option("--out <dir>", "folder for the executables", "dist")
  .action(async ({ target = [], out }: { target?: (Target | "all")[]; out: string }) => {
    const targets = target.includes("all") ? Object.keys(TARGETS) as Target[] : target as Target[];
    const own = ownTarget();
    if (targets.length === 0 && own === undefined) {
      throw new Error(`Cannot compile for ${Deno.build.target}: choose a --target`);
    }
    if (targets.length > 1 && Deno.env.get("DENORT_BIN")) {
      throw new Error("Cannot compile for several platforms: DENORT_BIN is the runtime of one of them");
    }
    await compileAll(targets.length === 0 ? [own!] : targets, out);
  });

async function compileAll(targets: readonly Target[], out: string): Promise<void> {
  const names: string[] = [];
  try {
    await prepare();
    for (const target of targets) {
      for (const name of await compile(target, out)) {
        const { size } = await Deno.stat(`${out}/${name}`);
        terminal.out(`${out}/${name}  ${(size / 1e6).toFixed(1)} MB\n`);
        names.push(name);
      }
    }
    names.push(...await writeSboms(out));
    await writeChecksums(out, names);
  } finally {
    await tidy();
  }
}

Deno.exitCode = await runProgram(program, Deno.args, terminal);
