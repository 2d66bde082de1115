import { childEnvironment } from "../child_environment.ts";

/** What a build reads: that which the Dockerfile copies, and how it does so. */
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
 * The commit that is checked out, as a part of an image's tag; with the time where files differ from it, or there is
 * none.
 */
export async function sourceTag(now: Date = new Date(), root: URL = ROOT): Promise<string> {
  const time = now.toISOString().replace(/[^\d]/g, "").slice(0, 14);
  const commit = await sourceCommit(root);
  return commit === undefined || commit.endsWith("-dirty") ? `${commit ?? "unknown"}-${time}` : commit;
}

/**
 * The commit that is checked out, with `-dirty` where the sources of a build differ from it. A file that git does not
 * track, or ignores, counts too: a build copies it like any other.
 *
 * @returns `undefined` without git, or where there is no commit.
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
    return undefined; // there is no git
  }
}
