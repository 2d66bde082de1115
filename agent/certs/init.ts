import { CertificateAuthority } from "./authority/certificate_authority.ts";
import {
  AUTHORITY_DAYS,
  DAY_MS,
  DEFAULT_CLIENT_NAME,
  DEFAULT_DAYS,
  DEFAULT_SERVER_NAME,
  endOfLife,
} from "./authority/limits.ts";
import { requireCommonName, serverAlternativeName } from "./authority/names.ts";
import { writeNewFiles } from "./files/write_files.ts";
import { emptyList } from "./revocation/revocation_store.ts";

/** Options of {@linkcode initCertificates}. */
export interface InitOptions {
  /** Folder for the files. Created if missing, with its parents, accessible only to the owner. */
  readonly dir: string;
  /** Name in the server's certificate, which agents verify. @default "sallyport-server" */
  readonly serverName?: string;
  /** Common name of the client's certificate, shown in the server's logs. @default "sallyport-client" */
  readonly clientName?: string;
  /** Lifetime of both certificates, in days; that of the CA is ten years, or longer if theirs is. @default 825 */
  readonly days?: number;
}

const DEFAULTS = { serverName: DEFAULT_SERVER_NAME, clientName: DEFAULT_CLIENT_NAME, days: DEFAULT_DAYS };

/**
 * Creates a private CA, a server certificate, a client certificate and an empty revocation list, and writes `ca.crt`,
 * `ca.key`, `server.crt`, `server.key`, `client.crt`, `client.key` and `crl.pem`. Only the owner can read the keys. No
 * file is overwritten, and a failure leaves no file behind.
 *
 * @returns The paths of the files written.
 * @throws {SallyportError} `bad_request` when one of the files exists or an option is invalid, another code when
 * the operating system reports an error.
 */
export async function initCertificates(options: InitOptions): Promise<{ files: string[] }> {
  const { dir, serverName, clientName, days } = { ...DEFAULTS, ...options };
  const notAfter = endOfLife(days, "make certificates");
  const serverAlias = serverAlternativeName(serverName);
  requireCommonName(clientName);
  const authority = await CertificateAuthority.create({
    notAfter: new Date(Date.now() + Math.max(days, AUTHORITY_DAYS) * DAY_MS),
  });
  const server = await authority.issue({
    commonName: serverName,
    usages: ["serverAuth"],
    alternativeNames: [serverAlias],
    notAfter,
  });
  const client = await authority.issue({ commonName: clientName, usages: ["clientAuth"], notAfter });
  const files = Object.entries({ ca: authority.files, server, client }).flatMap(([name, { cert, key }]) => [
    { path: `${dir}/${name}.crt`, text: cert, mode: 0o644 },
    { path: `${dir}/${name}.key`, text: key, mode: 0o600 },
  ]);
  files.push({ path: `${dir}/crl.pem`, text: await emptyList(authority), mode: 0o644 });
  await writeNewFiles(dir, files);
  return { files: files.map(({ path }) => path) };
}
