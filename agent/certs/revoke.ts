import { SallyportError } from "../../shared/errors.ts";
import type { CertificateAuthority } from "./authority/certificate_authority.ts";
import {
  findIssuedCertificate,
  listIssuedCertificates,
  requireIssuedCertificate,
  withSameKey,
} from "./issued_certificates.ts";
import { requireSerial } from "./authority/names.ts";
import { openAuthority } from "./authority/open_authority.ts";
import { type CommandResult, endNote } from "./command_result.ts";
import type { RevocationList, Revoked } from "./revocation/revocation_list.ts";
import type { GivenReason } from "./revocation/revocation_reasons.ts";
import { loadList, revokedNow, writeList, type WrittenList } from "./revocation/revocation_store.ts";
import { withLock } from "./files/with_lock.ts";

/** Options of {@linkcode renewList}. */
export interface ListRenewal {
  /** Folder of the CA and of its `crl.pem`. */
  readonly dir: string;
  /** Lifetime of the list in days, at most that of the CA. @default 825 */
  readonly days?: number;
}

/** Options of {@linkcode revokeCertificate}. */
export interface RevokeOptions extends ListRenewal {
  /** Name of a certificate's files, or its serial number in hex. */
  readonly which: { readonly name: string } | { readonly serial: string };
  /** @default "unspecified" */
  readonly reason?: GivenReason;
}

/** A certificate to revoke, and what messages call it. */
interface Wanted {
  readonly serial: string;
  readonly title: string;
}

/**
 * Revokes certificates: adds them to `crl.pem`, which is created if missing; existing entries are kept. A name stands
 * for NAME.crt and, after a renewal, also for NAME.crt.old. A certificate that is already revoked keeps its entry.
 *
 * @throws {SallyportError} `bad_request` when the CA, its list or an option cannot be used, or the
 * certificate does not exist, another code when the operating system reports an error.
 */
export async function revokeCertificate(options: RevokeOptions): Promise<CommandResult> {
  const { dir, reason = "unspecified", days } = options;
  return await withLock(dir, async () => {
    const authority = await openAuthority(dir);
    const wanted = await findWanted(options, authority);
    const list = await loadList(dir, authority.root);
    const added: Revoked[] = [];
    const notes = wanted.map(({ serial, title }) => {
      const before = list?.find(serial);
      if (before !== undefined) {
        return `${title} was already revoked on ${before.at.toISOString()} (${before.reason})`;
      }
      added.push(revokedNow(serial, reason));
      return `revoked ${title} (${reason})`;
    });
    if (reason === "keyCompromise") notes.push(...await sameKeyNotes(dir, authority, wanted, list));
    if (added.length === 0) return { files: [], notes };
    const written = await writeList(dir, authority, list, added, days);
    const reach = "name" in options.which && options.which.name === "server" ? SERVER_REACH : [];
    return {
      files: [written.path],
      notes: [...notes, noteOf(written, authority), ...firstList(list, written), ...reach],
    };
  });
}

/** Names the other valid certificates with a compromised key. */
async function sameKeyNotes(
  dir: string,
  { root }: CertificateAuthority,
  wanted: readonly Wanted[],
  list: RevocationList | undefined,
): Promise<string[]> {
  const issued = await listIssuedCertificates(dir, root);
  const isRevoked = (serial: string) =>
    list?.find(serial) !== undefined || wanted.some((each) => each.serial === serial);
  const others = issued.filter(({ serial }) => wanted.some((each) => each.serial === serial))
    .flatMap(({ certificate }) => withSameKey(issued, certificate))
    .filter(({ serial, certificate }) => !isRevoked(serial) && certificate.notAfter.getTime() > Date.now());
  return [...new Map(others.map((each) => [each.serial, each])).values()].map(({ path, serial }) =>
    `warning: ${path} (serial ${serial}) has the same key and is still valid; ` +
    `revoke it with "certs revoke --dir ${dir} --serial ${serial} --reason keyCompromise"`
  );
}

/** Who acts on the revocation of the server's certificate, and what is left to do. */
const SERVER_REACH = [
  "agents whose crl_file has this list refuse the server; agents without crl_file still accept it",
  "copy crl.pem to every agent and set crl_file there: open tunnels to the server end within seconds",
  "a running server with this list keeps its certificate and logs an error, but neither starts nor deploys with it " +
  'again: move server.crt and server.key away, and issue a new certificate with "certs issue --server"',
  "functions check callers against the deployed list; deploy again with a new certificate",
];

/**
 * Signs the revocation list again with the same entries before it expires; creates it if missing.
 *
 * @throws {SallyportError} As {@linkcode revokeCertificate}.
 */
export async function renewList({ dir, days }: ListRenewal): Promise<CommandResult> {
  return await withLock(dir, async () => {
    const authority = await openAuthority(dir);
    const list = await loadList(dir, authority.root);
    const written = await writeList(dir, authority, list, [], days);
    return { files: [written.path], notes: [noteOf(written, authority), ...firstList(list, written)] };
  });
}

async function findWanted({ dir, which }: RevokeOptions, { root }: CertificateAuthority): Promise<Wanted[]> {
  if ("name" in which) {
    const { serial } = await requireIssuedCertificate(dir, which.name, root, "revoke");
    const wanted = [{ serial, title: `${which.name} (serial ${serial})` }];
    const old = await findIssuedCertificate(dir, which.name, root, ".crt.old");
    const isGood = old !== undefined && old.serial !== serial &&
      old.certificate.notAfter.getTime() > Date.now();
    if (isGood) {
      wanted.push({ serial: old.serial, title: `${which.name} before its renewal (serial ${old.serial})` });
    }
    return wanted;
  }
  const serial = requireSerial(which.serial);
  if (serial === requireSerial(root.serialNumber)) {
    const problem =
      "it is the CA itself, and none of its certificates is valid without it; create a new CA instead";
    throw new SallyportError("bad_request", `Cannot revoke ${serial}: ${problem}`);
  }
  return [{ serial, title: `serial ${serial}` }];
}

/** `certs init` creates a list: a missing one may have been lost, with its entries. */
function firstList(before: RevocationList | undefined, { path, number }: WrittenList): string[] {
  if (before !== undefined) return [];
  return [
    `warning: ${path} not found; the new list starts at number ${number} without earlier revocations. If this CA ` +
    "had a list, restore it and run the command again",
  ];
}

function noteOf({ path, number, entries, nextUpdate }: WrittenList, { root }: CertificateAuthority): string {
  const what = `${path} (number ${number}, ${entries} ${entries === 1 ? "entry" : "entries"})`;
  return endNote(what, nextUpdate, root.notAfter);
}
