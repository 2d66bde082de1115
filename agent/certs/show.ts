import "reflect-metadata"; // x509 needs it to be there first
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import { DER } from "../../shared/tls/der.ts";
import { type Certificates, parseCertificates } from "./certificate_file.ts";
import { reportCertificates } from "./certificate_report.ts";
import { reportLists } from "./list_report.ts";
import { readIfThere } from "./read_file.ts";
import type { Report } from "./report.ts";
import { parseLists, type RevocationList } from "./revocation_list.ts";
import { type Surroundings, surroundingsOf } from "./surroundings.ts";

/** What {@linkcode showCertificates} looks at. */
export interface ShowOptions {
  /** A folder, of which every certificate and revocation list is shown. @default {none} */
  readonly dir?: string;
  /** Files with certificates or revocation lists, PEM or DER. @default {none} */
  readonly files?: readonly string[];
  /** The moment that counts. @default {now} */
  readonly now?: Date;
}

/** What a file holds. */
interface Content {
  readonly certificates: Certificates | undefined;
  readonly lists: readonly RevocationList[];
}

/**
 * Reports on certificates and revocation lists, each with the `ca.crt`, the `crl.pem` and the key file that stand
 * beside it. Keys are looked at only to see whether they fit. A file that cannot be used has a report that says so.
 *
 * @throws {SallyportError} When the folder cannot be read or has nothing to show.
 */
export async function showCertificates(options: ShowOptions): Promise<Report[]> {
  const { dir, files = [], now = new Date() } = options;
  const paths = [...dir === undefined ? [] : await pathsIn(dir), ...files];
  const reports: Report[] = [];
  for (const file of paths) reports.push(...await reportFile(file, now));
  return reports;
}

async function pathsIn(dir: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(dir));
    const names = entries.map(({ name }) => name).filter((name) => /\.crt$|^crl\.pem$/.test(name)).sort();
    if (names.length > 0) return names.map((name) => `${dir}/${name}`);
  } catch (error) {
    throw fromOsError(error, `read the folder ${dir}`);
  }
  throw new SallyportError(
    "bad_request",
    `Cannot show anything of ${dir}: it has no .crt file and no crl.pem`,
  );
}

async function reportFile(file: string, now: Date): Promise<Report[]> {
  try {
    const { certificates, lists } = await contentOf(file);
    const around: Surroundings = await surroundingsOf(folderOf(file));
    return [
      ...certificates === undefined ? [] : await reportCertificates(file, certificates, around, now),
      ...await reportLists(file, lists, around, now),
    ];
  } catch (error) {
    return [{ kind: "unreadable", file, problems: [SallyportError.from(error).message] }];
  }
}

async function contentOf(file: string): Promise<Content> {
  const bytes = await readIfThere(file);
  if (bytes === undefined) {
    throw new SallyportError("bad_request", `Cannot read ${file}: there is no such file`);
  }
  if (bytes[0] === DER.sequence) return contentOfDer(bytes, file);
  const text = new TextDecoder().decode(bytes);
  const hasList = text.includes("-----BEGIN X509 CRL-----");
  // Of a file with neither, the missing certificate is what is told.
  const hasCertificate = text.includes("-----BEGIN CERTIFICATE-----") || !hasList;
  return {
    certificates: hasCertificate ? parseCertificates(text, file) : undefined,
    lists: hasList ? parseLists(bytes, file) : [],
  };
}

function contentOfDer(der: Uint8Array<ArrayBuffer>, file: string): Content {
  try {
    return { certificates: [new x509.X509Certificate(der)], lists: [] };
  } catch {
    return { certificates: undefined, lists: parseLists(der, file) };
  }
}

function folderOf(file: string): string {
  const slash = file.lastIndexOf("/");
  return slash < 0 ? "." : file.slice(0, slash) || "/";
}
