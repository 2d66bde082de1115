/**
 * Whether `folder` is the one of the project's deno.json. A bundle is elsewhere, and no task starts it. Compares URLs,
 * without `node:url`: the health check, which runs every 30 s, loads this too.
 */
function isProject(folder: string): boolean {
  const url = new URL("file:///");
  url.pathname = `${folder.replaceAll("%", "%25").replaceAll("\\", "/")}/`;
  return url.href === new URL("../../", import.meta.url).href;
}

/**
 * The user's folder: `deno task` starts programs in the folder of deno.json and sets `INIT_CWD` to its own working
 * directory. If a program starts elsewhere, the variable is from another task and ignored.
 *
 * @returns undefined if the working directory is the user's folder.
 */
export function directoryOfUser(
  { initial, current, isRoot = isProject }: {
    initial: string | undefined;
    current: string;
    isRoot?: (folder: string) => boolean;
  },
): string | undefined {
  return initial && isRoot(current) && initial !== current ? initial : undefined;
}

/** Changes to the user's folder, so that relative paths start there. */
export function enterUserDirectory(): void {
  const directory = directoryOfUser({ initial: Deno.env.get("INIT_CWD"), current: Deno.cwd() });
  if (directory !== undefined) Deno.chdir(directory);
}
