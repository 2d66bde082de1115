import { runScanner } from "./scanner.ts";

/** One finding of testssl. */
export interface Finding {
  readonly id: string;
  /** `OK`, `INFO`, `LOW`, `MEDIUM`, `HIGH` or `CRITICAL`; `WARN` and `DEBUG` are about the scan itself. */
  readonly severity: string;
  readonly finding: string;
}

/** Target and options of a scan. */
export interface TestsslScan {
  /** Port of 127.0.0.1. */
  readonly port: number;
  /** Server name that is sent and that the certificate should have. */
  readonly serverName: string;
  /** Folder of its files. */
  readonly dir: string;
  /** Parts of the scan, as testssl's own flags. */
  readonly parts: readonly string[];
  /** A CA trusted in addition to the public ones. @default {none} */
  readonly caFile?: string;
}

/**
 * To learn what openssl supports, testssl makes it connect to the name `invalid.`, which asks a name server. This
 * wrapper redirects it to a local port where nothing listens, so that the scan does not leave the machine.
 */
const OPENSSL = `#!/bin/sh
for word; do shift; [ "$word" = invalid. ] && word=127.0.0.1:1; set -- "$@" "$word"; done
exec openssl "$@"
`;

/** Scans a port of 127.0.0.1, without a name server or any other host. */
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
    throw new Error(`Cannot read the report of testssl; it wrote:\n${said}`, { cause });
  }
}
