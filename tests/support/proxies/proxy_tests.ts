import type { Credentials } from "./proxy_config.ts";
import { type ProxyKind, proxyProgram } from "./proxy_program.ts";

/** Credentials of the proxies that require some. */
export const CREDENTIALS: Credentials = { user: "alice", password: "s3cret" };

/** Registers a test of one kind of proxy; `fn` gets its program. */
export type ProxyTest = (name: string, fn: (program: string) => Promise<void>) => void;

/** Registers tests for every kind of proxy; without its program they are skipped, with the reason. */
export async function forEachProxy(register: (kind: ProxyKind, test: ProxyTest) => void): Promise<void> {
  for (const kind of ["tinyproxy", "squid"] as const) {
    const program = await proxyProgram(kind);
    const reason = program === undefined ? ` (skipped: no ${kind} on this machine)` : "";
    register(
      kind,
      (name, fn) =>
        Deno.test({ name: `${name}${reason}`, ignore: program === undefined, fn: () => fn(program!) }),
    );
  }
}
