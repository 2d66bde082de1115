import "reflect-metadata"; // @peculiar/x509 needs it first
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../../shared/errors.ts";
import type { CertificateAuthority } from "../authority/certificate_authority.ts";
import { maySign } from "../authority/certificate.ts";
import { DEFAULT_LIST_DAYS, inDays } from "../authority/limits.ts";
import { readFileIfExists } from "../files/read_file.ts";
import { replaceFiles } from "../files/write_files.ts";
import { parseLists, type RevocationList, type Revoked } from "./revocation_list.ts";
import { type GivenReason, REASON_CODES } from "./revocation_reasons.ts";

const REASON_CODE = "2.5.29.21";
const ENUMERATED = 0x0a;

/** A list that was written. */
export interface WrittenList {
  readonly path: string;
  readonly number: bigint;
  readonly nextUpdate: Date;
  readonly entries: number;
}

/** Signs a CA's first list, without entries; PEM. */
export function emptyList(authority: CertificateAuthority): Promise<string> {
  const nextUpdate = nextUpdateOf(authority, DEFAULT_LIST_DAYS);
  return authority.signList({ number: 1n, thisUpdate: new Date(), nextUpdate, entries: [] });
}

/**
 * Reads `crl.pem` in a CA's folder, expired or not; undefined when it does not exist.
 *
 * @throws {SallyportError} `bad_request` when it cannot be parsed completely, was not signed by that CA, or has a
 * critical extension.
 */
export async function loadList(dir: string, root: x509.X509Certificate): Promise<RevocationList | undefined> {
  const path = `${dir}/crl.pem`;
  const bytes = await readFileIfExists(path);
  if (bytes === undefined) return undefined;
  const [list, ...others] = parseLists(bytes, path);
  if (list === undefined || others.length > 0) {
    throw unusable(
      path,
      `it contains ${
        others.length + 1
      } lists, but only the list of this CA belongs here; move the combined file to ` +
        "where crl_file points, restore the list of this CA, and combine them again afterwards",
    );
  }
  if (!await list.isSignedBy(root)) {
    throw unusable(path, "it was not signed by ca.crt; move it away if it belongs to another CA");
  }
  if (list.criticalExtension !== undefined) {
    throw unusable(path, `it has the critical extension ${list.criticalExtension}, which is not supported`);
  }
  return list;
}

/**
 * Signs the next list, with all entries of the previous one and the added ones, and writes `crl.pem`.
 *
 * @param days Lifetime of the list, at most that of the CA.
 * @throws {SallyportError} `bad_request` when the CA may not sign lists or `days` is invalid.
 */
export async function writeList(
  dir: string,
  authority: CertificateAuthority,
  before: RevocationList | undefined,
  added: readonly Revoked[],
  days: number = DEFAULT_LIST_DAYS,
): Promise<WrittenList> {
  if (!maySign(authority.root, "cRLSign")) {
    const problem = 'its key usage lacks cRLSign; create a new CA with "certs init"';
    throw new SallyportError(
      "bad_request",
      `Cannot sign a revocation list: ca.crt does not allow it, ${problem}`,
    );
  }
  const path = `${dir}/crl.pem`;
  const number = (before?.number ?? 0n) + 1n;
  const nextUpdate = nextUpdateOf(authority, days);
  const entries = [...before?.entries ?? [], ...added].map(paramsOf);
  const text = await authority.signList({ number, thisUpdate: new Date(), nextUpdate, entries });
  await replaceFiles([{ path, text, mode: 0o644 }]);
  return { path, number, nextUpdate, entries: entries.length };
}

/** Makes an entry for a certificate revoked now. */
export function revokedNow(serial: string, reason: GivenReason): Revoked {
  const value = Uint8Array.of(ENUMERATED, 1, REASON_CODES[reason]);
  return { serial, at: new Date(), reason, extensions: [new x509.Extension(REASON_CODE, false, value)] };
}

/**
 * For an entry without extensions, the library writes an empty list, which RFC 5280 does not allow: such an entry gets
 * the reason `unspecified`.
 */
function paramsOf({ serial, at, extensions }: Revoked): x509.X509CrlEntryParams {
  const written = extensions.length > 0 ? extensions : revokedNow(serial, "unspecified").extensions;
  return { serialNumber: serial, revocationDate: at, extensions: [...written] };
}

function nextUpdateOf(authority: CertificateAuthority, days: number): Date {
  const asked = inDays(days, "sign a revocation list");
  const end = Math.min(asked.getTime(), authority.root.notAfter.getTime());
  return new Date(Math.floor(end / 1000) * 1000); // lists have whole seconds
}

function unusable(path: string, problem: string): SallyportError {
  return new SallyportError("bad_request", `Cannot use ${path}: ${problem}`);
}
