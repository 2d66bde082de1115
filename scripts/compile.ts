/**
 * `deno task compile [--target TARGET…] [--out DIR]`: makes `agent` and `server` as single files that need nothing
 * else, with their permissions baked in, each with a bill of materials.
 */
import { Command, Option } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { writeChecksums } from "./compile/checksums.ts";
import { compile, prepare, tidy } from "./compile/compile.ts";
import { writeSboms } from "./compile/sbom.ts";
import { ownTarget, type Target, TARGETS } from "./compile/targets.ts";

const program = new Command("compile")
  .description("Makes the agent and the server as single files that need nothing else")
  .addOption(
    new Option("--target <target...>", "machines to make them for; all for every one of them")
      .choices([...Object.keys(TARGETS), "all"]),
  )
  .option("--out <dir>", "folder of the executables", "dist")
  .action(async ({ target = [], out }: { target?: (Target | "all")[]; out: string }) => {
    const targets = target.includes("all") ? Object.keys(TARGETS) as Target[] : target as Target[];
    const own = ownTarget();
    if (targets.length === 0 && own === undefined) {
      throw new Error(`Cannot make executables for ${Deno.build.target}: name a --target`);
    }
    if (targets.length > 1 && Deno.env.get("DENORT_BIN")) {
      throw new Error("Cannot make executables for several machines: DENORT_BIN names the runtime of one");
    }
    await make(targets.length === 0 ? [own!] : targets, out);
  });

async function make(targets: readonly Target[], out: string): Promise<void> {
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
