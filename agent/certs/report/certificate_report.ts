import "reflect-metadata"; // @peculiar/x509 needs it first
import * as x509 from "@peculiar/x509";
import { keyModeWarning } from "../../../shared/pki/x509/private_key.ts";
import { type Certificates, hasSigned, isAuthority } from "../authority/certificate.ts";
import { DAY_MS } from "../authority/limits.ts";
import { requireSerial } from "../authority/names.ts";
import { readTextIfExists } from "../files/read_file.ts";
import type { CertificateReport, KeyState, RevocationState } from "./report.ts";
import { publicKeyOf, readPrivateKey } from "../authority/keys.ts";
import type { CertificateContext } from "./certificate_context.ts";

/** Reports on each certificate in a file. */
export async function reportCertificates(
  file: string,
  certificates: Certificates,
  context: CertificateContext,
  now: Date,
): Promise<CertificateReport[]> {
  const issuers = [...context.authorities, ...certificates.slice(1)];
  return await Promise.all(certificates.map(async (certificate, index) => {
    const key = index === 0 ? await keyOf(file, certificate) : null;
    const issuer = await issuerOf(certificate, issuers);
    const revocation = await revocationOf(certificate, issuer, context);
    const report = { file, entry: index + 1, ...await fieldsOf(certificate, now), key, revocation };
    const problems = [
      ...problemsOf(report, now),
      ...originProblems(certificate, issuer, context, revocation),
    ];
    const warning = key === null || key.state === "absent" ? undefined : await keyModeWarning(key.file);
    return { ...report, problems, warnings: warning === undefined ? [] : [warning] };
  }));
}

/** The fields of the certificate itself. */
async function fieldsOf(certificate: x509.X509Certificate, now: Date) {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  const usages = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [];
  return {
    kind: "certificate",
    subject: certificate.subject,
    issuer: certificate.issuer,
    names: names.map(({ type, value }) => `${type === "url" ? "uri" : type}:${value}`),
    // Not `map`: on the library's list, it returns another such list.
    usages: Array.from(usages, (id) => USAGE_NAMES.get(String(id)) ?? String(id)),
    isAuthority: isAuthority(certificate),
    serial: requireSerial(certificate.serialNumber),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    daysLeft: Math.floor((certificate.notAfter.getTime() - now.getTime()) / DAY_MS),
    sha256: new Uint8Array(await certificate.getThumbprint("SHA-256")).toHex(),
  } as const;
}

const USAGE_NAMES = new Map(Object.entries(x509.ExtendedKeyUsage).map(([name, id]) => [String(id), name]));

async function keyOf(file: string, certificate: x509.X509Certificate) {
  const path = file.replace(/\.(crt|cer|pem)(\.old)?$/, "") + (file.endsWith(".old") ? ".key.old" : ".key");
  return { file: path, state: await keyState(path, certificate) };
}

async function keyState(path: string, certificate: x509.X509Certificate): Promise<KeyState> {
  try {
    const text = await readTextIfExists(path);
    if (text === undefined) return "absent";
    const fits = publicKeyOf(readPrivateKey(text, path)).equal(certificate.publicKey);
    return fits ? "fits" : "does not fit";
  } catch {
    return "unreadable";
  }
}

async function issuerOf(
  certificate: x509.X509Certificate,
  candidates: readonly x509.X509Certificate[],
): Promise<x509.X509Certificate | undefined> {
  for (const candidate of candidates) if (await hasSigned(candidate, certificate)) return candidate;
  return undefined;
}

async function revocationOf(
  certificate: x509.X509Certificate,
  issuer: x509.X509Certificate | undefined,
  { lists, listProblem }: CertificateContext,
): Promise<RevocationState> {
  if (listProblem !== undefined) return { state: "unknown" };
  if (lists === undefined) return { state: "no list" };
  let state: "good" | "unknown" = "unknown";
  for (const list of issuer === undefined ? [] : lists) {
    if (!await list.isSignedBy(issuer!)) continue;
    state = "good";
    const entry = list.find(requireSerial(certificate.serialNumber));
    if (entry !== undefined) return { state: "revoked", at: entry.at.toISOString(), reason: entry.reason };
  }
  return { state };
}

type Unjudged = Omit<CertificateReport, "problems" | "warnings">;

function problemsOf({ notBefore, notAfter, key, revocation }: Unjudged, now: Date): string[] {
  const problems: string[] = [];
  const at = now.toISOString();
  if (notAfter < at) problems.push(`it expired on ${notAfter}; renew it with "certs renew"`);
  if (notBefore > at) problems.push(`it is not valid before ${notBefore}`);
  if (revocation.state === "revoked") {
    problems.push(`it was revoked on ${revocation.at} (${revocation.reason})`);
  }
  if (key?.state === "does not fit") problems.push(`${key.file} is not its key`);
  if (key?.state === "unreadable") problems.push(`${key.file} cannot be read as a private key`);
  return problems;
}

/** Problems between a certificate and the CA in the same folder. */
function originProblems(
  certificate: x509.X509Certificate,
  issuer: x509.X509Certificate | undefined,
  { authorities, listProblem }: CertificateContext,
  { state }: RevocationState,
): string[] {
  if (authorities.length > 0 && issuer === undefined) {
    return [`it was not issued by ca.crt in the same folder but by ${certificate.issuer}`];
  }
  if (state !== "unknown") return [];
  const reason = listProblem ??
    (issuer === undefined
      ? "there is no ca.crt in the same folder to verify crl.pem with"
      : "crl.pem in the same folder was not signed by its CA");
  return [`revocation unknown: ${reason}`];
}
