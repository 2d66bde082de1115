import { SallyportError } from "../../shared/errors.ts";
import type { Authority } from "./authority.ts";
import { findIssued, requireIssued } from "./issued_certificate.ts";
import { requireSerial } from "./names.ts";
import { openAuthority } from "./open_authority.ts";
import { endNote, type Outcome } from "./outcome.ts";
import type { RevocationList, Revoked } from "./revocation_list.ts";
import type { GivenReason } from "./revocation_reasons.ts";
import { loadList, revokedNow, writeList, type WrittenList } from "./revocation_store.ts";
import { issuedIn, withSameKey } from "./same_key.ts";
import { withLock } from "./with_lock.ts";

/** What {@linkcode renewList} writes. */
export interface ListRenewal {
  /** Folder of the CA and of its `crl.pem`. */
  readonly dir: string;
  /** Days until the next list is due; no longer than the CA lives. @default 825 */
  readonly days?: number;
}

/** What {@linkcode revokeCertificate} takes back. */
export interface RevokeOptions extends ListRenewal {
  /** Name of a certificate's files, or its serial number in hex. */
  readonly which: { readonly name: string } | { readonly serial: string };
  /** @default "unspecified" */
  readonly reason?: GivenReason;
}

/** A certificate that shall be taken back, and what it is called. */
interface Wanted {
  readonly serial: string;
  readonly title: string;
}

/**
 * Takes certificates back: adds them to `crl.pem`, which is made when there is none, and keeps what it had. A name
 * stands for NAME.crt and, after a renewal, also for NAME.crt.old. What was taken back before stays as it is.
 *
 * @throws {SallyportError} `bad_request` when the CA, its list or an option cannot be used, or there is no such
 * certificate, another code when the operating system refuses.
 */
export async function revokeCertificate(options: RevokeOptions): Promise<Outcome> {
  const { dir, reason = "unspecified", days } = options;
  return await withLock(dir, async () => {
    const authority = await openAuthority(dir);
    const wanted = await wantedOf(options, authority);
    const list = await loadList(dir, authority.root);
    const added: Revoked[] = [];
    const notes = wanted.map(({ serial, title }) => {
      const before = list?.find(serial);
      if (before !== undefined) {
        return `${title} has been revoked since ${before.at.toISOString()} (${before.reason})`;
      }
      added.push(revokedNow(serial, reason));
      return `${title} is revoked now (${reason})`;
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

/** Names the certificates that stay good with a key that is known to others. */
async function sameKeyNotes(
  dir: string,
  { root }: Authority,
  wanted: readonly Wanted[],
  list: RevocationList | undefined,
): Promise<string[]> {
  const issued = await issuedIn(dir, root);
  const isRevoked = (serial: string) =>
    list?.find(serial) !== undefined || wanted.some((each) => each.serial === serial);
  const others = issued.filter(({ serial }) => wanted.some((each) => each.serial === serial))
    .flatMap(({ certificate }) => withSameKey(issued, certificate))
    .filter(({ serial, certificate }) => !isRevoked(serial) && certificate.notAfter.getTime() > Date.now());
  return [...new Map(others.map((each) => [each.serial, each])).values()].map(({ path, serial }) =>
    `warning: ${path} (serial ${serial}) has the same key and is still good; ` +
    `"certs revoke --dir ${dir} --serial ${serial} --reason keyCompromise" ends that`
  );
}

/** What the revocation of the server's certificate reaches. */
const SERVER_REACH = [
  "agents whose crl_file has this list refuse the server; agents without crl_file still accept it",
  "copy crl.pem to every agent and set crl_file there: open tunnels to the server end within seconds",
  "a running server with this list keeps that certificate, with an error in its log; it does not start with it " +
  "again, nor does deploy take it: move server.crt and server.key away, and make another with certs issue --server",
  "functions judge callers by the deployed list; deploy again with a new certificate",
];

/**
 * Signs the revocation list anew, with the entries that it has, so that it does not run out; makes it when there
 * is none.
 *
 * @throws {SallyportError} As {@linkcode revokeCertificate}.
 */
export async function renewList({ dir, days }: ListRenewal): Promise<Outcome> {
  return await withLock(dir, async () => {
    const authority = await openAuthority(dir);
    const list = await loadList(dir, authority.root);
    const written = await writeList(dir, authority, list, [], days);
    return { files: [written.path], notes: [noteOf(written, authority), ...firstList(list, written)] };
  });
}

async function wantedOf({ dir, which }: RevokeOptions, { root }: Authority): Promise<Wanted[]> {
  if ("name" in which) {
    const { serial } = await requireIssued(dir, which.name, root, "revoke");
    const wanted = [{ serial, title: `${which.name} (serial ${serial})` }];
    const old = await findIssued(dir, which.name, root, ".crt.old");
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
      "that is the CA itself, without which no certificate of it is good; make a new CA instead";
    throw new SallyportError("bad_request", `Cannot revoke ${serial}: ${problem}`);
  }
  return [{ serial, title: `serial ${serial}` }];
}

/** `certs init` makes a list: where there is none, it may be lost, with its entries. */
function firstList(before: RevocationList | undefined, { path, number }: WrittenList): string[] {
  if (before !== undefined) return [];
  return [
    `warning: there was no ${path}; this list starts at number ${number} and has no earlier revocation. If this CA ` +
    "had a list, put that back and run the command again",
  ];
}

function noteOf({ path, number, entries, nextUpdate }: WrittenList, { root }: Authority): string {
  const what = `${path} (number ${number}, ${entries} ${entries === 1 ? "entry" : "entries"})`;
  return endNote(what, nextUpdate, root.notAfter);
}
