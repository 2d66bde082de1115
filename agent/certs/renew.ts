import { SallyportError } from "../../shared/errors.ts";
import type { CertificateAuthority, CertifiedKey } from "./authority/certificate_authority.ts";
import { parseCertificates } from "./authority/certificate.ts";
import {
  findIssuedCertificate,
  type IssuedCertificate,
  listIssuedCertificates,
  requireIssuedCertificate,
  withSameKey,
} from "./issued_certificates.ts";
import { DAY_MS, endOfLife, MAX_DAYS } from "./authority/limits.ts";
import { type FileText, replaceFiles } from "./files/write_files.ts";
import { openAuthority } from "./authority/open_authority.ts";
import { type CommandResult, endNote } from "./command_result.ts";
import { encodePem } from "../../shared/pki/x509/pem.ts";
import { readTextIfExists } from "./files/read_file.ts";
import type { RevocationList } from "./revocation/revocation_list.ts";
import { loadList } from "./revocation/revocation_store.ts";
import { publicKeyOf, readPrivateKey } from "./authority/keys.ts";
import { withLock } from "./files/with_lock.ts";

/** Options of {@linkcode renewCertificate}. */
export interface RenewOptions {
  /** Folder of the CA and of the certificate. */
  readonly dir: string;
  /** Name of the certificate's files. */
  readonly name: string;
  /** Lifetime of the new certificate in days, at most that of the CA. @default that of the old one */
  readonly days?: number;
  /** Keeps the existing key instead of generating one. @default false */
  readonly keepKey?: boolean;
}

/** The certificate to renew, and the revocation list. */
interface Present extends IssuedCertificate {
  /** Its private key, PEM; undefined when it is kept elsewhere. */
  readonly key: string | undefined;
  readonly list: RevocationList | undefined;
}

/**
 * Replaces a certificate that expires soon or has expired: same subject, names and uses, new serial number and key. The
 * old files are kept as NAME.crt.old and NAME.key.old. Each file is replaced atomically, the key first and the
 * certificate right after it. A program that reads both in between finds a key that does not match, keeps what it has
 * and tries again; a power failure there leaves the old pair complete under its `.old` names.
 *
 * The old certificate stays valid until it expires, unless it is revoked.
 *
 * @throws {SallyportError} `bad_request` when the CA or the certificate cannot be used, the certificate is revoked
 * or an option is invalid, another code when the operating system reports an error.
 */
export async function renewCertificate(options: RenewOptions): Promise<CommandResult> {
  const { dir, name } = options;
  return await withLock(dir, async () => {
    const authority = await openAuthority(dir);
    const old = await loadPresent(options, authority);
    if (options.keepKey) await requireGoodKey(options, old, authority);
    const notAfter = endOfLife(options.days ?? daysOf(old), `renew ${name}`);
    const renewed = await authority.reissue(old.certificate, { notAfter }, keptKey(options, old));
    const earlier = await findIssuedCertificate(dir, name, authority.root, ".crt.old");
    const files = filesOf(options, old, renewed);
    await replaceFiles(files);
    const notes = [
      noteOf(renewed, name, authority),
      ...missingList(old, options),
      ...stillValid(old, [old, earlier], options),
    ];
    return { files: files.map(({ path }) => path), notes };
  });
}

async function loadPresent({ dir, name }: RenewOptions, { root }: CertificateAuthority): Promise<Present> {
  const issued = await requireIssuedCertificate(dir, name, root, "renew");
  const list = await loadList(dir, root);
  const revoked = list?.find(issued.serial);
  if (revoked === undefined) return { ...issued, list, key: await readTextIfExists(`${dir}/${name}.key`) };
  const since = `it was revoked on ${revoked.at.toISOString()} (${revoked.reason})`;
  const advice =
    `to allow the client again, move ${name}.crt and ${name}.key away and issue a new certificate`;
  throw new SallyportError("bad_request", `Cannot renew ${name}: ${since}; ${advice}`);
}

/** The old lifetime in whole days; other programs may have issued it for a fraction of a day more. */
function daysOf({ certificate: { notBefore, notAfter } }: Present): number {
  const days = Math.round((notAfter.getTime() - notBefore.getTime()) / DAY_MS);
  return Math.min(Math.max(days, 1), MAX_DAYS);
}

function keptKey({ dir, name, keepKey = false }: RenewOptions, old: Present): string | undefined {
  if (!keepKey) return undefined;
  const path = `${dir}/${name}.key`;
  if (old.key === undefined) {
    throw new SallyportError("bad_request", `Cannot renew ${name} with its key: ${path} not found`);
  }
  const fits = publicKeyOf(readPrivateKey(old.key, path)).equal(old.certificate.publicKey);
  if (fits) return old.key;
  throw new SallyportError(
    "bad_request",
    `Cannot renew ${name} with its key: ${path} is not the key of ${name}.crt`,
  );
}

/** Refuses a compromised key: a new certificate does not make it safe. */
async function requireGoodKey(
  { dir, name }: RenewOptions,
  old: Present,
  { root }: CertificateAuthority,
): Promise<void> {
  for (const { path, serial } of withSameKey(await listIssuedCertificates(dir, root), old.certificate)) {
    if (old.list?.find(serial)?.reason !== "keyCompromise") continue;
    throw new SallyportError(
      "bad_request",
      `Cannot renew ${name} with its key: the same key is in ${path} (serial ${serial}), which was revoked for ` +
        "keyCompromise; renew it without --keep-key",
    );
  }
}

/** The files to write, in the order in which they are replaced. */
function filesOf(
  { dir, name, keepKey = false }: RenewOptions,
  old: Present,
  renewed: CertifiedKey,
): FileText[] {
  const rest = old.rest.map(({ rawData }) => encodePem(rawData, "CERTIFICATE")).join("");
  const oldText = encodePem(old.certificate.rawData, "CERTIFICATE") + rest;
  const [cert, key] = [`${dir}/${name}.crt`, `${dir}/${name}.key`];
  const files = [{ path: `${cert}.old`, text: oldText, mode: 0o644 }];
  if (old.key !== undefined) files.unshift({ path: `${key}.old`, text: old.key, mode: 0o600 });
  if (!keepKey) files.push({ path: key, text: renewed.key, mode: 0o600 });
  return [...files, { path: cert, text: renewed.cert + rest, mode: 0o644 }];
}

function noteOf({ cert }: CertifiedKey, name: string, { root }: CertificateAuthority): string {
  const [renewed] = parseCertificates(cert, name);
  return endNote(`certificate ${name} (serial ${renewed.serialNumber})`, renewed.notAfter, root.notAfter);
}

/** `certs init` creates a list: a missing one may have been lost. */
function missingList({ list }: Present, { dir, name }: RenewOptions): string[] {
  if (list !== undefined) return [];
  return [`warning: ${dir}/crl.pem not found, so it is unknown whether ${name} was revoked`];
}

/** Names replaced certificates that are still valid; the second last one has no file after this renewal. */
function stillValid(
  { list }: Present,
  replaced: readonly (IssuedCertificate | undefined)[],
  { dir }: RenewOptions,
): string[] {
  return replaced.flatMap((each) => {
    if (each === undefined || each.certificate.notAfter.getTime() < Date.now()) return [];
    if (list?.find(each.serial) !== undefined) return [];
    const { serial, certificate: { notAfter } } = each;
    const advice =
      `once it is no longer in use, revoke it with "certs revoke --dir ${dir} --serial ${serial} --reason superseded"`;
    return [
      `the previous certificate (serial ${serial}) stays valid until ${notAfter.toISOString()}; ${advice}`,
    ];
  });
}
