import type { X509Certificate } from "node:crypto";
import { certificateFields, type KeyUsage } from "./certificate_fields.ts";
import { Fault } from "./fault.ts";
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
 * @returns undefined when there is nothing wrong.
 */
export function findFault(question: TrustQuestion): Fault | undefined {
  const { chain, authorities, usage, serverName, revocation, at = new Date() } = question;
  const leaf = chain[0];
  if (leaf === undefined) return new Fault("missing", "is missing");
  const late = dateFault(leaf, at);
  if (late !== undefined) return late;
  const lost = pathFault(chain, authorities, at, question.trustsUncheckable ? hasIssued : isProved);
  if (lost !== undefined) return lost;
  const withdrawn = revocation?.faultOf(chain, authorities);
  if (withdrawn !== undefined) return new Fault("revoked", withdrawn);
  const { usages, names } = certificateFields(leaf);
  if (usage !== undefined && !usages.includes(usage)) {
    return new Fault("usage", `is not for ${usage} (extended key usage)`);
  }
  if (serverName !== undefined && !carriesName(names, serverName)) {
    return new Fault("name", `is not for "${serverName}": it carries ${shownNames(names)}`);
  }
  return undefined;
}

function dateFault(certificate: X509Certificate, at: Date): Fault | undefined {
  const validity = { from: new Date(certificate.validFrom), until: new Date(certificate.validTo) };
  const { from, until } = validity;
  if (at < from) return new Fault("not_yet_valid", `is not valid before ${from.toISOString()}`, validity);
  if (at > until) return new Fault("expired", `expired at ${until.toISOString()}`, validity);
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
): Fault | undefined {
  let current = chain[0]!;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const authority = authorities.find((candidate) => issued(candidate, current));
    if (authority !== undefined) {
      return issuerFault(authority, at);
    }
    const next = chain.find((candidate) => candidate !== current && issued(candidate, current));
    if (next === undefined) break;
    const late = issuerFault(next, at);
    if (late !== undefined) return late;
    current = next;
  }
  if (authorities.some((authority) => issuanceOf(authority, current) === "uncheckable")) {
    const why = "was issued with a kind of key whose signatures cannot be checked here (P-521 is one)";
    return new Fault("uncheckable", why);
  }
  const known = authorities.map(subjectOf).join(" or ");
  const issuer = oneLine(current.issuer);
  if (authorities.some((authority) => oneLine(authority.subject) === issuer)) {
    return new Fault(
      "other_authority",
      `was issued by another ${issuer} than the one that is trusted here`,
    );
  }
  return new Fault("foreign", `was issued by ${issuer}, not by ${known}`);
}

function issuerFault(issuer: X509Certificate, at: Date): Fault | undefined {
  const late = dateFault(issuer, at);
  const text = `was issued by ${subjectOf(issuer)}, whose own certificate ${late?.text}`;
  return late && new Fault("issuer_dates", text, late.validity);
}
