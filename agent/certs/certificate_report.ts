import "reflect-metadata"; // x509 needs it to be there first
import * as x509 from "@peculiar/x509";
import { isAuthority } from "./authority_rights.ts";
import { type Certificates, hasSigned } from "./certificate_file.ts";
import { DAY_MS } from "./limits.ts";
import { requireSerial } from "./names.ts";
import { readTextIfThere } from "./read_file.ts";
import type { CertificateReport, KeyState, RevocationState } from "./report.ts";
import { publicKeyOf, readPrivateKey } from "./signing_key.ts";
import type { Surroundings } from "./surroundings.ts";

/** Reports on each certificate of a file. */
export async function reportCertificates(
  file: string,
  certificates: Certificates,
  around: Surroundings,
  now: Date,
): Promise<CertificateReport[]> {
  const issuers = [...around.authorities, ...certificates.slice(1)];
  return await Promise.all(certificates.map(async (certificate, index) => {
    const key = index === 0 ? await keyOf(file, certificate) : null;
    const issuer = await issuerOf(certificate, issuers);
    const revocation = await revocationOf(certificate, issuer, around);
    const report = { file, entry: index + 1, ...await plainFacts(certificate, now), key, revocation };
    const problems = [
      ...problemsOf(report, now),
      ...originProblems(certificate, issuer, around, revocation),
    ];
    return { ...report, problems };
  }));
}

/** What stands in the certificate itself. */
async function plainFacts(certificate: x509.X509Certificate, now: Date) {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  const usages = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [];
  return {
    kind: "certificate",
    subject: certificate.subject,
    issuer: certificate.issuer,
    names: names.map(({ type, value }) => `${type === "url" ? "uri" : type}:${value}`),
    // Not `map`: the library's list would make another one of its kind.
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
    const text = await readTextIfThere(path);
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
  { lists, listProblem }: Surroundings,
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

type Facts = Omit<CertificateReport, "problems">;

function problemsOf({ notBefore, notAfter, key, revocation }: Facts, now: Date): string[] {
  const problems: string[] = [];
  const at = now.toISOString();
  if (notAfter < at) problems.push(`it expired at ${notAfter}`);
  if (notBefore > at) problems.push(`it is not valid before ${notBefore}`);
  if (revocation.state === "revoked") {
    problems.push(`it was revoked at ${revocation.at} (${revocation.reason})`);
  }
  if (key?.state === "does not fit") problems.push(`${key.file} is not its key`);
  if (key?.state === "unreadable") problems.push(`${key.file} cannot be read as a private key`);
  return problems;
}

/** What is wrong between it and the CA beside it. */
function originProblems(
  certificate: x509.X509Certificate,
  issuer: x509.X509Certificate | undefined,
  { authorities, listProblem }: Surroundings,
  { state }: RevocationState,
): string[] {
  if (authorities.length > 0 && issuer === undefined) {
    return [`it was not issued by the ca.crt beside it, but by ${certificate.issuer}`];
  }
  if (state !== "unknown") return [];
  const why = listProblem ??
    (issuer === undefined
      ? "there is no ca.crt beside it to check crl.pem with"
      : "the crl.pem beside it was not signed by its CA");
  return [`whether it was revoked is not known: ${why}`];
}
