import { SallyportError } from "../../shared/errors.ts";
import type { CertificateAuthority, LeafOptions } from "./authority/certificate_authority.ts";
import { parseCertificates } from "./authority/certificate.ts";
import { DEFAULT_DAYS, DEFAULT_SERVER_NAME, endOfLife } from "./authority/limits.ts";
import { alternativeNames, requireFileName, serverAlternativeName } from "./authority/names.ts";
import { writeNewFiles } from "./files/write_files.ts";
import { openAuthority } from "./authority/open_authority.ts";
import { type CommandResult, endNote } from "./command_result.ts";
import { withLock } from "./files/with_lock.ts";

/** Options of {@linkcode issueCertificate}. */
export interface IssueOptions {
  /** Folder of the CA and of the new files. */
  readonly dir: string;
  /** Name of the files, and a client's common name. */
  readonly name: string;
  /** Lifetime in days, at most that of the CA. @default 825 */
  readonly days?: number;
  /** DNS alternative names. @default {none} */
  readonly dns?: readonly string[];
  /** URI alternative names. @default {none} */
  readonly uri?: readonly string[];
  /** Issues a server certificate instead of a client certificate. @default false */
  readonly server?: boolean;
  /** Name or address in a server certificate, also used as its common name. @default "sallyport-server" */
  readonly serverName?: string;
}

/**
 * Issues a certificate with a new key and writes NAME.crt and NAME.key. Only the owner can read the key. No file is
 * overwritten.
 *
 * @throws {SallyportError} `bad_request` when the CA cannot be used, a file exists or an option is invalid,
 * another code when the operating system reports an error.
 */
export async function issueCertificate(options: IssueOptions): Promise<CommandResult> {
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
    const problem = `server name ${JSON.stringify(options.serverName)} needs a server certificate`;
    throw new SallyportError("bad_request", `Cannot issue a client certificate: ${problem}`);
  }
  const { serverName = DEFAULT_SERVER_NAME } = options;
  const own = serverAlternativeName(serverName);
  const rest = others.filter(({ type, value }) => type !== own.type || value !== own.value);
  return { commonName: serverName, usages: ["serverAuth"], alternativeNames: [own, ...rest], notAfter };
}

function noteOf(cert: string, name: string, { root }: CertificateAuthority): string {
  const [{ serialNumber, notAfter }] = parseCertificates(cert, name);
  return endNote(`certificate ${name} (serial ${serialNumber})`, notAfter, root.notAfter);
}
