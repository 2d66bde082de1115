import type { Terminal } from "../../shared/cli/terminal.ts";
import { dialableHost, hostPort } from "../../shared/net/host_port.ts";
import type { LocalProxy } from "./proxy_environment.ts";

/** Milliseconds; on this machine, an answer takes less than one. */
const TIMEOUT_MS = 1_000;

/**
 * Says in one line when nothing listens at the proxy's address. Says nothing when that cannot be found out: the task
 * `exec` may connect to loopback only.
 */
export async function warnIfNothingListens(
  { host, port }: Pick<LocalProxy, "host" | "port">,
  terminal: Pick<Terminal, "err">,
): Promise<void> {
  const hostname = dialableHost(host);
  try {
    const connection = await Deno.connect({ hostname, port, signal: AbortSignal.timeout(TIMEOUT_MS) });
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) return;
    terminal.err(`sallyport-agent: no agent listens at ${hostPort(hostname, port)}; start it first\n`);
  }
}
