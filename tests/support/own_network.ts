/** Sets up the loopback interface with the addresses before the "--", and runs what is behind it. */
const SCRIPT = `set -e
ip link set lo up
while [ "$1" != -- ]; do ip address add "$1" dev lo; shift; done
shift
exec "$@"`;

/** How a script in a network of its own ended, and what it wrote. */
export interface OwnNetworkRun {
  readonly success: boolean;
  readonly out: string;
  readonly errors: string;
}

/** Tells why this machine cannot give a program a network of its own; undefined when it can. */
export async function whyNoOwnNetwork(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "only Linux has network namespaces";
  try {
    const { success } = await run([], ["true"]);
    return success ? undefined : "no right to make a network namespace, or no program ip";
  } catch (error) {
    return `no network namespace: ${(error as Error).message}`;
  }
}

/**
 * Runs a script of the tests in a network namespace whose loopback interface has `addresses`, which may be public
 * ones: no packet leaves the namespace.
 *
 * @param addresses With their prefix lengths.
 * @param script Relative to this file.
 */
export function runInOwnNetwork(addresses: readonly string[], script: string): Promise<OwnNetworkRun> {
  const permissions = ["read", "write", "net", "env", "run", "sys"].map((name) => `--allow-${name}`);
  const file = `${import.meta.dirname}/${script}`;
  return run(addresses, [Deno.execPath(), "run", "--no-prompt", ...permissions, file]);
}

async function run(addresses: readonly string[], command: readonly string[]): Promise<OwnNetworkRun> {
  const args = ["-n", "sh", "-c", SCRIPT, "sh", ...addresses, "--", ...command];
  const { success, stdout, stderr } = await new Deno.Command("unshare", { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { success, out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}
