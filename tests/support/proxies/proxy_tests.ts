import { type Credentials, type ProxyKind, proxyProgram } from "./proxy_program.ts";

/** What the proxies of tests want, where they want something. */
export const CREDENTIALS: Credentials = { user: "alice", password: "s3cret" };

/** Registers a test of one kind of proxy; `fn` gets its program. */
export type ProxyTest = (name: string, fn: (program: string) => Promise<void>) => void;

/** Registers tests for every kind of proxy; those whose program is missing are skipped, with the reason. */
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
