import { SallyportError } from "../../shared/errors.ts";
import type { Authority, LeafOptions } from "./authority.ts";
import { parseCertificates } from "./certificate_file.ts";
import { DEFAULT_DAYS, endOfLife } from "./limits.ts";
import { alternativeNames, requireFileName, serverAlternativeName } from "./names.ts";
import { writeNewFiles } from "./new_files.ts";
import { openAuthority } from "./open_authority.ts";
import { endNote, type Outcome } from "./outcome.ts";
import { withLock } from "./with_lock.ts";

/** What {@linkcode issueCertificate} makes. */
export interface IssueOptions {
  /** Folder of the CA, and of the new files. */
  readonly dir: string;
  /** Name of the files, and a client's common name. */
  readonly name: string;
  /** Life, in days; no longer than the CA's. @default 825 */
  readonly days?: number;
  /** Alternative names of DNS. @default {none} */
  readonly dns?: readonly string[];
  /** Alternative names that are URIs. @default {none} */
  readonly uri?: readonly string[];
  /** Makes a server's certificate instead of a client's. @default false */
  readonly server?: boolean;
  /** Name or address that a server's certificate carries, also as its common name. @default "sallyport-server" */
  readonly serverName?: string;
}

const DEFAULT_SERVER_NAME = "sallyport-server";

/**
 * Makes one more certificate of a CA, and its key, and writes NAME.crt and NAME.key. Only the owner can read the
 * key. Nothing is ever overwritten.
 *
 * @throws {SallyportError} `bad_request` when the CA cannot be used, a file exists or an option cannot be, another
 * code when the operating system refuses.
 */
export async function issueCertificate(options: IssueOptions): Promise<Outcome> {
  const { dir, name } = options;
  requireFileName(name);
  const leaf = leafOf(options);
  return await withLock(dir, async () => {
    const authority = await openAuthority(dir);
    const { cert, key } = await authority.issue(leaf);
    const files = [
      { path: `${dir}/${name}.crt`, text: cert, mode: 0o644 },
      { path: `${dir}/${name}.key`, text: key, mode: 0o600 },
    ];
    await writeNewFiles(dir, files);
    return { files: files.map(({ path }) => path), notes: [noteOf(cert, name, authority)] };
  });
}

function leafOf(options: IssueOptions): LeafOptions {
  const { name, days = DEFAULT_DAYS, dns = [], uri = [], server = false } = options;
  const notAfter = endOfLife(days, "issue a certificate");
  const others = alternativeNames(dns, uri);
  if (!server) {
    if (options.serverName === undefined) {
      return { commonName: name, usages: ["clientAuth"], alternativeNames: others, notAfter };
    }
    const problem = `current server name is ${
      JSON.stringify(options.serverName)
    }, which clients have none of`;
    throw new SallyportError("bad_request", `Cannot issue a certificate for a client: ${problem}`);
  }
  const { serverName = DEFAULT_SERVER_NAME } = options;
  const own = serverAlternativeName(serverName);
  const rest = others.filter(({ type, value }) => type !== own.type || value !== own.value);
  return { commonName: serverName, usages: ["serverAuth"], alternativeNames: [own, ...rest], notAfter };
}

function noteOf(cert: string, name: string, { root }: Authority): string {
  const [{ serialNumber, notAfter }] = parseCertificates(cert, name);
  return endNote(`certificate ${name} (serial ${serialNumber})`, notAfter, root.notAfter);
}
