import { SallyportError } from "../../shared/errors.ts";
import type { Authority, CertifiedKey } from "./authority.ts";
import { parseCertificates } from "./certificate_file.ts";
import { findIssued, type IssuedCertificate, requireIssued } from "./issued_certificate.ts";
import { DAY_MS, endOfLife, MAX_DAYS } from "./limits.ts";
import type { FileText } from "./new_files.ts";
import { openAuthority } from "./open_authority.ts";
import { endNote, type Outcome } from "./outcome.ts";
import { toPem } from "./pem.ts";
import { readTextIfThere } from "./read_file.ts";
import { replaceFiles } from "./replace_files.ts";
import type { RevocationList } from "./revocation_list.ts";
import { loadList } from "./revocation_store.ts";
import { issuedIn, withSameKey } from "./same_key.ts";
import { publicKeyOf, readPrivateKey } from "./signing_key.ts";
import { withLock } from "./with_lock.ts";

/** What {@linkcode renewCertificate} renews. */
export interface RenewOptions {
  /** Folder of the CA and of the certificate. */
  readonly dir: string;
  /** Name of the certificate's files. */
  readonly name: string;
  /** Life of the new certificate, in days; no longer than the CA's. @default as long as the old one's */
  readonly days?: number;
  /** Certifies the key that is there instead of a new one. @default false */
  readonly keepKey?: boolean;
}

/** The certificate that is renewed, and the list that says what was revoked. */
interface Present extends IssuedCertificate {
  /** Its private key, PEM, unless it is kept elsewhere. */
  readonly key: string | undefined;
  readonly list: RevocationList | undefined;
}

/**
 * Makes a certificate in place of one that ends or has ended: same subject, names and uses, another serial number,
 * another key. The old files stay as NAME.crt.old and NAME.key.old. Each file changes in one step, first the key
 * and right after it the certificate. A program that reads both just between the two finds a key that does not fit
 * and keeps what it has until it looks again; a power cut there leaves the old pair whole under its `.old` names.
 *
 * The old certificate remains good until it ends, unless it is revoked.
 *
 * @throws {SallyportError} `bad_request` when the CA or the certificate cannot be used, the certificate was revoked
 * or an option cannot be, another code when the operating system refuses.
 */
export async function renewCertificate(options: RenewOptions): Promise<Outcome> {
  const { dir, name } = options;
  return await withLock(dir, async () => {
    const authority = await openAuthority(dir);
    const old = await presentOf(options, authority);
    if (options.keepKey) await requireGoodKey(options, old, authority);
    const notAfter = endOfLife(options.days ?? daysOf(old), `renew ${name}`);
    const renewed = await authority.reissue(old.certificate, { notAfter }, keptKey(options, old));
    const earlier = await findIssued(dir, name, authority.root, ".crt.old");
    const files = filesOf(options, old, renewed);
    await replaceFiles(files);
    const notes = [
      endOfNew(renewed, name, authority),
      ...unchecked(old, options),
      ...stillGood(old, [old, earlier], options),
    ];
    return { files: files.map(({ path }) => path), notes };
  });
}

async function presentOf({ dir, name }: RenewOptions, { root }: Authority): Promise<Present> {
  const issued = await requireIssued(dir, name, root, "renew");
  const list = await loadList(dir, root);
  const revoked = list?.find(issued.serial);
  if (revoked === undefined) return { ...issued, list, key: await readTextIfThere(`${dir}/${name}.key`) };
  const since = `it was revoked at ${revoked.at.toISOString()} (${revoked.reason})`;
  const advice = `move ${name}.crt and ${name}.key away and issue it anew if it shall be let in again`;
  throw new SallyportError("bad_request", `Cannot renew ${name}: ${since}; ${advice}`);
}

/** The old one's life in whole days; certificates made by others may have a part of one beside. */
function daysOf({ certificate: { notBefore, notAfter } }: Present): number {
  const days = Math.round((notAfter.getTime() - notBefore.getTime()) / DAY_MS);
  return Math.min(Math.max(days, 1), MAX_DAYS);
}

function keptKey({ dir, name, keepKey = false }: RenewOptions, old: Present): string | undefined {
  if (!keepKey) return undefined;
  const path = `${dir}/${name}.key`;
  if (old.key === undefined) {
    throw new SallyportError("bad_request", `Cannot renew ${name} with its key: there is no ${path}`);
  }
  const fits = publicKeyOf(readPrivateKey(old.key, path)).equal(old.certificate.publicKey);
  if (fits) return old.key;
  throw new SallyportError(
    "bad_request",
    `Cannot renew ${name} with its key: ${path} is not that of ${name}.crt`,
  );
}

/** A key that was stolen is no better with another certificate. */
async function requireGoodKey({ dir, name }: RenewOptions, old: Present, { root }: Authority): Promise<void> {
  for (const { path, serial } of withSameKey(await issuedIn(dir, root), old.certificate)) {
    if (old.list?.find(serial)?.reason !== "keyCompromise") continue;
    throw new SallyportError(
      "bad_request",
      `Cannot renew ${name} with its key: the same key is in ${path} (serial ${serial}), which was revoked for ` +
        "keyCompromise; renew it without --keep-key",
    );
  }
}

/** In the order in which they are to be replaced. */
function filesOf(
  { dir, name, keepKey = false }: RenewOptions,
  old: Present,
  renewed: CertifiedKey,
): FileText[] {
  const rest = old.rest.map(({ rawData }) => toPem(rawData, "CERTIFICATE")).join("");
  const oldText = toPem(old.certificate.rawData, "CERTIFICATE") + rest;
  const [cert, key] = [`${dir}/${name}.crt`, `${dir}/${name}.key`];
  const files = [{ path: `${cert}.old`, text: oldText, mode: 0o644 }];
  if (old.key !== undefined) files.unshift({ path: `${key}.old`, text: old.key, mode: 0o600 });
  if (!keepKey) files.push({ path: key, text: renewed.key, mode: 0o600 });
  return [...files, { path: cert, text: renewed.cert + rest, mode: 0o644 }];
}

function endOfNew({ cert }: CertifiedKey, name: string, { root }: Authority): string {
  const [renewed] = parseCertificates(cert, name);
  return endNote(`certificate ${name} (serial ${renewed.serialNumber})`, renewed.notAfter, root.notAfter);
}

/** `certs init` makes a list: where there is none, it may be lost. */
function unchecked({ list }: Present, { dir, name }: RenewOptions): string[] {
  if (list !== undefined) return [];
  return [`warning: there is no ${dir}/crl.pem, so nothing says whether ${name} was revoked`];
}

/** What would let its holder in though it has a successor; of the one before the last, no file is left after this. */
function stillGood(
  { list }: Present,
  replaced: readonly (IssuedCertificate | undefined)[],
  { dir }: RenewOptions,
): string[] {
  return replaced.flatMap((each) => {
    if (each === undefined || each.certificate.notAfter.getTime() < Date.now()) return [];
    if (list?.find(each.serial) !== undefined) return [];
    const { serial, certificate: { notAfter } } = each;
    const advice =
      `once nobody uses it, "certs revoke --dir ${dir} --serial ${serial} --reason superseded" ends that`;
    return [
      `the certificate before it (serial ${serial}) stays good until ${notAfter.toISOString()}; ${advice}`,
    ];
  });
}
