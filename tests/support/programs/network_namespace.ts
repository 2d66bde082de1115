import { NO_NODE_MODULES } from "../../../scripts/process/task_command.ts";

/** Adds the addresses before "--" to the loopback interface, and runs the command after it. */
const SCRIPT = `set -e
ip link set lo up
while [ "$1" != -- ]; do ip address add "$1" dev lo; shift; done
shift
exec "$@"`;

/** The result of a script in its own network namespace. */
export interface NamespaceRun {
  readonly success: boolean;
  readonly out: string;
  readonly errors: string;
}

/** Why this machine cannot create a network namespace; undefined if it can. */
export async function whyNoNetworkNamespace(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "only Linux has network namespaces";
  try {
    const { success } = await run([], ["true"]);
    return success ? undefined : "no right to make a network namespace, or no program ip";
  } catch (error) {
    return `no network namespace: ${(error as Error).message}`;
  }
}

/**
 * Runs a script of the tests in a network namespace whose loopback interface has `addresses`, which may be public: no
 * packet leaves the namespace.
 *
 * @param addresses With their prefix lengths.
 * @param script Relative to this file.
 */
export function runInNetworkNamespace(addresses: readonly string[], script: string): Promise<NamespaceRun> {
  const permissions = ["read", "write", "net", "env", "run", "sys"].map((name) => `--allow-${name}`);
  const file = `${import.meta.dirname}/${script}`;
  return run(addresses, [
    Deno.execPath(),
    "run",
    NO_NODE_MODULES,
    "--no-prompt",
    ...permissions,
    file,
  ]);
}

async function run(addresses: readonly string[], command: readonly string[]): Promise<NamespaceRun> {
  const args = ["-n", "sh", "-c", SCRIPT, "sh", ...addresses, "--", ...command];
  const { success, stdout, stderr } = await new Deno.Command("unshare", { args, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { success, out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}
