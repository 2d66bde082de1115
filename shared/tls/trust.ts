import type { X509Certificate } from "node:crypto";
import { certificateFields, type KeyUsage } from "./certificate_fields.ts";
import { hasIssued, issuanceOf } from "./has_issued.ts";
import type { Revocation } from "./revocation.ts";
import { carriesName, shownNames } from "./server_name.ts";
import { oneLine, subjectOf } from "./subject.ts";

/** What a certificate is judged by. */
export interface TrustQuestion {
  /** The certificate, and after it those that came with it. */
  readonly chain: readonly X509Certificate[];
  /** Who may have issued it, directly or through others of the chain. */
  readonly authorities: readonly X509Certificate[];
  /** What it has to be for. @default {anything} */
  readonly usage?: KeyUsage | undefined;
  /** Name or address that it has to carry. @default {any} */
  readonly serverName?: string | undefined;
  /** Which certificates were taken back. @default {none} */
  readonly revocation?: Revocation | undefined;
  /** @default {now} */
  readonly at?: Date;
  /**
   * Whether a signature that cannot be checked here counts: only where TLS checks it, or nobody else gave the
   * certificate. @default false
   */
  readonly trustsUncheckable?: boolean;
}

const MAX_DEPTH = 8;

/**
 * Looks for what is wrong with a certificate: its dates, who issued it, whether it was taken back, what
 * it is for, and whose it is (RFC 5280 section 6, RFC 9525). One that does not say what it is for is for nothing.
 *
 * @returns The fault, in words that follow "the certificate … "; undefined when there is none.
 */
export function findFault(question: TrustQuestion): string | undefined {
  const { chain, authorities, usage, serverName, revocation, at = new Date() } = question;
  const leaf = chain[0];
  if (leaf === undefined) return "is missing";
  const late = dateFault(leaf, at);
  if (late !== undefined) return late;
  const lost = pathFault(chain, authorities, at, question.trustsUncheckable ? hasIssued : isProved);
  if (lost !== undefined) return lost;
  const withdrawn = revocation?.faultOf(chain, authorities);
  if (withdrawn !== undefined) return withdrawn;
  const { usages, names } = certificateFields(leaf);
  if (usage !== undefined && !usages.includes(usage)) return `is not for ${usage} (extended key usage)`;
  if (serverName !== undefined && !carriesName(names, serverName)) {
    return `is not for "${serverName}": it carries ${shownNames(names)}`;
  }
  return undefined;
}

function dateFault(certificate: X509Certificate, at: Date): string | undefined {
  const begin = new Date(certificate.validFrom);
  const end = new Date(certificate.validTo);
  if (at < begin) return `is not valid before ${begin.toISOString()}`;
  if (at > end) return `expired at ${end.toISOString()}`;
  return undefined;
}

function isProved(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuanceOf(issuer, certificate) === "yes";
}

function pathFault(
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  at: Date,
  issued: (issuer: X509Certificate, certificate: X509Certificate) => boolean,
): string | undefined {
  let current = chain[0]!;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const authority = authorities.find((candidate) => issued(candidate, current));
    if (authority !== undefined) {
      const late = dateFault(authority, at);
      return late && `was issued by ${subjectOf(authority)}, whose own certificate ${late}`;
    }
    const next = chain.find((candidate) => candidate !== current && issued(candidate, current));
    if (next === undefined) break;
    const late = dateFault(next, at);
    if (late !== undefined) return `was issued by ${subjectOf(next)}, whose own certificate ${late}`;
    current = next;
  }
  if (authorities.some((authority) => issuanceOf(authority, current) === "uncheckable")) {
    return "was issued with a kind of key whose signatures cannot be checked here (P-521 is one)";
  }
  const known = authorities.map(subjectOf).join(" or ");
  const issuer = oneLine(current.issuer);
  if (authorities.some((authority) => oneLine(authority.subject) === issuer)) {
    return `was issued by another ${issuer} than the one that is trusted here`;
  }
  return `was issued by ${issuer}, not by ${known}`;
}
