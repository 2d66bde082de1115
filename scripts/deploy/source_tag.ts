import { childEnvironment } from "../process/child_environment.ts";

/** Sources of a build: everything that the Dockerfile copies, and the files that control it. */
const SOURCES = [
  "Dockerfile",
  ".dockerignore",
  "deno.json",
  "deno.lock",
  "shared",
  "agent",
  "server",
  "scripts",
];
const ROOT = new URL("../../", import.meta.url);

/**
 * The current commit, as part of an image tag; with the time when files differ from it, or without a commit.
 */
export async function sourceTag(now: Date = new Date(), root: URL = ROOT): Promise<string> {
  const time = now.toISOString().replace(/[^\d]/g, "").slice(0, 14);
  const commit = await sourceCommit(root);
  return commit === undefined || commit.endsWith("-dirty") ? `${commit ?? "unknown"}-${time}` : commit;
}

/**
 * The current commit, with `-dirty` when the sources of a build differ from it. Untracked and ignored files count too:
 * a build copies them like any other.
 *
 * @returns `undefined` without git or without a commit.
 */
export async function sourceCommit(root: URL = ROOT): Promise<string | undefined> {
  const commit = await git(root, ["describe", "--always", "--abbrev=12", "--exclude=*"]);
  const flags = ["--porcelain", "--untracked-files=all", "--ignored=matching"];
  const changes = await git(root, ["status", ...flags, "--", ...SOURCES]);
  if (commit === undefined || changes === undefined) return undefined;
  return changes === "" ? commit : `${commit}-dirty`;
}

async function git(cwd: URL, args: string[]): Promise<string | undefined> {
  try {
    const command = new Deno.Command("git", {
      args,
      cwd,
      env: childEnvironment(),
      clearEnv: true,
      stdin: "null",
      stderr: "null",
    });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined; // git is not installed
  }
}
