import type { X509Certificate } from "node:crypto";
import { certificateFields, type KeyUsage } from "./certificate_fields.ts";
import { Fault } from "./fault.ts";
import {
  hasIssued,
  issuanceOf,
  type Issued,
  namesIssuer,
  SignatureBudget,
  TooManyChecks,
} from "./has_issued.ts";
import { MAX_CHAIN } from "./presented_chain.ts";
import type { Revocation } from "./revocation.ts";
import { carriesName, shownNames } from "./server_name.ts";
import { oneLine, subjectOf } from "./subject.ts";
import { unaidedAuthorityFault, unaidedLeafFault } from "./unaided.ts";

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
  readonly proof: Proof;
}

/**
 * What stands behind a judgement:
 *
 * - `tls`: TLS accepted the chain, and has the last word on what cannot be checked here; or it is from our own files.
 * - `names`: TLS refused it. No signature is checked, names alone are compared, to tell what is wrong: whoever was
 *   refused must not cost more. That nothing is found wrong means nothing.
 * - `alone`: no TLS stands behind it. The first certificate counts alone, one of the authorities must have issued it
 *   itself, and what cannot be checked is refused.
 */
export type Proof = "tls" | "names" | "alone";

/**
 * Looks for what is wrong with a certificate: its dates, who issued it, whether it was taken back, what
 * it is for, and whose it is (RFC 5280 section 6, RFC 9525). One that does not say what it is for is for nothing.
 * It costs few signature checks, whatever the chain: see {@linkcode SignatureBudget}.
 *
 * @returns undefined when there is nothing wrong.
 */
export function findFault(question: TrustQuestion): Fault | undefined {
  if (question.chain.length > MAX_CHAIN) return longChainFault(question.chain.length);
  try {
    return faultWithin(question, new SignatureBudget());
  } catch (error) {
    if (!(error instanceof TooManyChecks)) throw error;
    return new Fault("chain", "needs more signature checks than one judgement may cost");
  }
}

/** What is wrong with a chain that is too long to be looked at. */
export function longChainFault(length: number): Fault {
  return new Fault(
    "chain",
    `came in a chain of ${length} certificates, and at most ${MAX_CHAIN} are accepted`,
  );
}

function faultWithin(question: TrustQuestion, budget: SignatureBudget): Fault | undefined {
  const { authorities, usage, serverName, revocation, at = new Date(), proof } = question;
  const chain = proof === "alone" ? question.chain.slice(0, 1) : question.chain;
  const leaf = chain[0];
  if (leaf === undefined) return new Fault("missing", "is missing");
  const late = dateFault(leaf, at);
  if (late !== undefined) return late;
  const issued = issuedBy(proof, budget);
  const lost = pathFault(chain, authorities, at, issued, proof);
  if (lost !== undefined) return lost;
  const withdrawn = revocation?.faultOf(chain, authorities, issued);
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

function issuedBy(proof: Proof, budget: SignatureBudget): Issued {
  switch (proof) {
    case "names":
      return namesIssuer;
    case "tls":
      return (issuer, certificate) => hasIssued(issuer, certificate, budget);
    case "alone":
      return (issuer, certificate) => issuanceOf(issuer, certificate, budget) === "yes";
  }
}

function pathFault(
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  at: Date,
  issued: Issued,
  proof: Proof,
): Fault | undefined {
  let current = chain[0]!;
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    const authority = authorities.find((candidate) => issued(candidate, current));
    if (authority !== undefined) {
      const late = issuerFault(authority, at);
      if (late !== undefined || proof !== "alone") return late;
      return unaidedAuthorityFault(authority) ?? unaidedLeafFault(current);
    }
    const next = chain.find((candidate) => candidate !== current && issued(candidate, current));
    if (next === undefined) break;
    const late = issuerFault(next, at);
    if (late !== undefined) return late;
    current = next;
  }
  // Its answer is known by now.
  if (
    proof === "alone" && authorities.some((authority) => issuanceOf(authority, current) === "uncheckable")
  ) {
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
