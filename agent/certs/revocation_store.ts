import "reflect-metadata"; // x509 needs it to be there first
import * as x509 from "@peculiar/x509";
import { SallyportError } from "../../shared/errors.ts";
import type { Authority } from "./authority.ts";
import { maySign } from "./authority_rights.ts";
import { DEFAULT_DAYS, inDays } from "./limits.ts";
import { readIfThere } from "./read_file.ts";
import { replaceFiles } from "./replace_files.ts";
import { parseLists, type RevocationList, type Revoked } from "./revocation_list.ts";
import { type GivenReason, REASON_CODES } from "./revocation_reasons.ts";

/**
 * Days until the next list is due, unless something else is asked for: as long as certificates live. A list is brought
 * to the server by hand, not fetched by it, and a server does not start with a file that ran out: one that ends long
 * before everything else ends somebody's service, and not the life of a certificate.
 */
export const DEFAULT_LIST_DAYS = DEFAULT_DAYS;

const REASON_CODE = "2.5.29.21";
const ENUMERATED = 0x0a;

/** What was written. */
export interface WrittenList {
  readonly path: string;
  readonly number: bigint;
  readonly nextUpdate: Date;
  readonly entries: number;
}

/** A first list, without an entry, PEM. */
export function emptyList(authority: Authority): Promise<string> {
  const nextUpdate = nextUpdateOf(authority, DEFAULT_LIST_DAYS);
  return authority.signList({ number: 1n, thisUpdate: new Date(), nextUpdate, entries: [] });
}

/**
 * Reads `crl.pem` of an authority's folder, whether or not it ran out; undefined when there is none.
 *
 * @throws {SallyportError} `bad_request` when it cannot be read in whole, is not of that authority, or is more than
 * a plain list.
 */
export async function loadList(dir: string, root: x509.X509Certificate): Promise<RevocationList | undefined> {
  const path = `${dir}/crl.pem`;
  const bytes = await readIfThere(path);
  if (bytes === undefined) return undefined;
  const [list, ...others] = parseLists(bytes, path);
  if (list === undefined || others.length > 0) {
    throw unusable(path, `it has ${others.length + 1} lists, and one is expected`);
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
 * Signs a list that follows the one before, with all its entries and those that are added, and writes `crl.pem`.
 *
 * @param days Until the next one is due; cut off at the authority's end.
 * @throws {SallyportError} `bad_request` when the authority may not sign lists or `days` cannot be.
 */
export async function writeList(
  dir: string,
  authority: Authority,
  before: RevocationList | undefined,
  added: readonly Revoked[],
  days: number = DEFAULT_LIST_DAYS,
): Promise<WrittenList> {
  if (!maySign(authority.root, "cRLSign")) {
    const problem = "its key usage has no cRLSign; a new CA is needed, as certs init makes it";
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

/** An entry for a certificate that is taken back now. */
export function revokedNow(serial: string, reason: GivenReason): Revoked {
  const value = Uint8Array.of(ENUMERATED, 1, REASON_CODES[reason]);
  return { serial, at: new Date(), reason, extensions: [new x509.Extension(REASON_CODE, false, value)] };
}

/**
 * The library writes an empty list of extensions where there are none, which RFC 5280 does not allow: an entry
 * without a reason says that it has none to give.
 */
function paramsOf({ serial, at, extensions }: Revoked): x509.X509CrlEntryParams {
  const written = extensions.length > 0 ? extensions : revokedNow(serial, "unspecified").extensions;
  return { serialNumber: serial, revocationDate: at, extensions: [...written] };
}

function nextUpdateOf(authority: Authority, days: number): Date {
  const asked = inDays(days, "sign a revocation list");
  const end = Math.min(asked.getTime(), authority.root.notAfter.getTime());
  return new Date(Math.floor(end / 1000) * 1000); // as the list can say it
}

function unusable(path: string, problem: string): SallyportError {
  return new SallyportError("bad_request", `Cannot use ${path}: ${problem}`);
}
