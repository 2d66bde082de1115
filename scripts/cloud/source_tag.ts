/** The commit that is checked out, as a part of an image's tag; with the time where files differ from it, or there is none. */
export async function sourceTag(now: Date = new Date()): Promise<string> {
  const time = now.toISOString().replace(/[^\d]/g, "").slice(0, 14);
  try {
    const command = new Deno.Command("git", {
      args: ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
      cwd: new URL("../../", import.meta.url),
      stdin: "null",
      stderr: "null",
    });
    const { success, stdout } = await command.output();
    const commit = new TextDecoder().decode(stdout).trim();
    if (success) return commit.endsWith("-dirty") ? `${commit}-${time}` : commit;
  } catch {
    // no git: the time has to do
  }
  return `unknown-${time}`;
}
