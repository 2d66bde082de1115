import { Authority } from "./authority.ts";
import { DAY_MS, DEFAULT_DAYS, endOfLife } from "./limits.ts";
import { requireCommonName, serverAlternativeName } from "./names.ts";
import { writeNewFiles } from "./new_files.ts";
import { emptyList } from "./revocation_store.ts";

/** What {@linkcode initCertificates} makes. */
export interface InitOptions {
  /** Directory of the files; made, with those above it, for the owner alone when it is not there. */
  readonly dir: string;
  /** Name that the server's certificate carries, and that agents look for. @default "sallyport-server" */
  readonly serverName?: string;
  /** Common name of the client's certificate, as the server's logs show it. @default "sallyport-client" */
  readonly clientName?: string;
  /** Life of both certificates, in days; the authority lives ten years, or longer if they do. @default 825 */
  readonly days?: number;
}

const DEFAULTS = { serverName: "sallyport-server", clientName: "sallyport-client", days: DEFAULT_DAYS };
const AUTHORITY_DAYS = 3650;

/**
 * Makes a private authority, a certificate for the server, one for a client and a revocation list without an
 * entry, and writes `ca.crt`, `ca.key`, `server.crt`, `server.key`, `client.crt`, `client.key` and `crl.pem`. Only
 * the owner can read the keys. Nothing is ever overwritten, and after a failure nothing is left behind.
 *
 * @returns The paths of the files that were written.
 * @throws {SallyportError} `bad_request` when one of the files exists or an option cannot be, another code when
 * the operating system refuses.
 */
export async function initCertificates(options: InitOptions): Promise<{ files: string[] }> {
  const { dir, serverName, clientName, days } = { ...DEFAULTS, ...options };
  const notAfter = endOfLife(days, "make certificates");
  const serverAlias = serverAlternativeName(serverName);
  requireCommonName(clientName);
  const authority = await Authority.create({
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
