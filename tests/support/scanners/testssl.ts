import { runScanner } from "./scanner.ts";

/** One finding of testssl. */
export interface Finding {
  readonly id: string;
  /** `OK`, `INFO`, `LOW`, `MEDIUM`, `HIGH` or `CRITICAL`; `WARN` and `DEBUG` are about the scan itself. */
  readonly severity: string;
  readonly finding: string;
}

/** What is scanned, and how. */
export interface TestsslScan {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** The name that is sent, and that the certificate should have. */
  readonly serverName: string;
  /** Where files are written. */
  readonly dir: string;
  /** Which parts of the scan; testssl's own flags. */
  readonly parts: readonly string[];
  /** A CA that is believed beside the public ones. @default {none} */
  readonly caFile?: string;
}

/**
 * To learn what openssl can do, testssl has it connect to the name `invalid.`, which asks a name server. Here it
 * gets a port of this machine where nobody listens, and the scan does not leave the machine.
 */
const OPENSSL = `#!/bin/sh
for word; do shift; [ "$word" = invalid. ] && word=127.0.0.1:1; set -- "$@" "$word"; done
exec openssl "$@"
`;

/** Has testssl look at a port of 127.0.0.1, without a name server and without asking anybody else. */
export async function testssl(scan: TestsslScan): Promise<Finding[]> {
  const { port, serverName, dir, parts, caFile } = scan;
  const [openssl, report] = [`${dir}/openssl.sh`, `${dir}/testssl_${crypto.randomUUID()}.json`];
  await Deno.writeTextFile(openssl, OPENSSL, { mode: 0o755 });
  const said = await runScanner("testssl", [
    ...["--quiet", "--warnings", "off", "--color", "0", "--openssl", openssl],
    ...["--nodns", "none", "--ip", "127.0.0.1", "--connect-timeout", "10", "--openssl-timeout", "10"],
    ...(caFile === undefined ? [] : ["--add-ca", caFile]),
    ...["--jsonfile", report, ...parts, `${serverName}:${port}`],
  ], dir);
  try {
    return JSON.parse(await Deno.readTextFile(report));
  } catch (cause) {
    throw new Error(`No report of testssl; it wrote:\n${said}`, { cause });
  }
}
