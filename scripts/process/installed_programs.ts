/**
 * Prints Deno's own path and those of its arguments that are programs on the PATH, with commas between, for
 * `--allow-run=` in deno.json: Deno complains at every start about a program that it cannot find there.
 */
import { delimiter } from "node:path";
import { terminal } from "../../shared/cli/terminal.ts";

const folders = (Deno.env.get("PATH") ?? "").split(delimiter).filter((folder) => folder !== "");

function isInstalled(name: string): boolean {
  if (Deno.build.os === "windows") return true; // where names have other ends than these
  return folders.some((folder) => {
    try {
      return Deno.statSync(`${folder}/${name}`).isFile;
    } catch {
      return false;
    }
  });
}

terminal.out([Deno.execPath(), ...Deno.args.filter(isInstalled)].join(","));
