import "reflect-metadata"; // @peculiar/x509 needs it first
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../../shared/errors.ts";
import { fromOsError } from "../../../shared/net/os_error.ts";
import { DER } from "../../../shared/pki/x509/der.ts";
import { type Certificates, parseCertificates } from "../authority/certificate.ts";
import { reportCertificates } from "./certificate_report.ts";
import { reportLists } from "./list_report.ts";
import { readFileIfExists } from "../files/read_file.ts";
import type { Report } from "./report.ts";
import { parseLists, type RevocationList } from "../revocation/revocation_list.ts";
import { type CertificateContext, loadCertificateContext } from "./certificate_context.ts";

/** Options of {@linkcode showCertificates}. */
export interface ShowOptions {
  /** A folder; shows its .crt files and `crl.pem`. @default {none} */
  readonly dir?: string;
  /** Files with certificates or revocation lists, PEM or DER. @default {none} */
  readonly files?: readonly string[];
  /** The time to check validity at. @default {now} */
  readonly now?: Date;
}

/** The content of a file. */
interface Content {
  readonly certificates: Certificates | undefined;
  readonly lists: readonly RevocationList[];
}

/**
 * Reports on certificates and revocation lists, and checks each against `ca.crt`, `crl.pem` and its key file in the
 * same folder. Keys are only compared with their certificate. A file that cannot be read gets a report that says so.
 *
 * @throws {SallyportError} When the folder cannot be read or contains nothing to show.
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
    `Cannot show certificates in ${dir}: no .crt file and no crl.pem found`,
  );
}

async function reportFile(file: string, now: Date): Promise<Report[]> {
  try {
    const { certificates, lists } = await contentOf(file);
    const context: CertificateContext = await loadCertificateContext(folderOf(file));
    return [
      ...certificates === undefined ? [] : await reportCertificates(file, certificates, context, now),
      ...await reportLists(file, lists, context, now),
    ];
  } catch (error) {
    return [{ kind: "unreadable", file, problems: [SallyportError.from(error).message] }];
  }
}

async function contentOf(file: string): Promise<Content> {
  const bytes = await readFileIfExists(file);
  if (bytes === undefined) {
    throw new SallyportError("bad_request", `Cannot read ${file}: not found`);
  }
  if (bytes[0] === DER.sequence) return contentOfDer(bytes, file);
  const text = new TextDecoder().decode(bytes);
  const hasList = text.includes("-----BEGIN X509 CRL-----");
  // A file with neither is reported as one without a certificate.
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
