import { certsCommand } from "../cli/command_line.ts";
import type { X509Certificate } from "node:crypto";
import { CertificateProblem } from "./certificate_problem.ts";
import type { RevocationLists } from "./revocation_lists.ts";
import { certificateFields, type KeyUsage } from "./x509/certificate_fields.ts";
import {
  checkIssuer,
  type IsIssuer,
  isNamedIssuer,
  mayHaveIssued,
  SignatureBudget,
  SignatureBudgetExceeded,
} from "./x509/issuer_check.ts";
import { listNames, matchesServerName, nameOnOneLine, subjectOf } from "./x509/names.ts";

/**
 * Certificates in a chain at most: the peer's own and three between it and the CA. A handshake can carry hundreds, and
 * the peer that sends them need not have a valid one.
 */
export const MAX_CHAIN = 4;

/** What a certificate is validated against. */
export interface PathValidation {
  /** The certificate, followed by those that were presented with it. */
  readonly chain: readonly X509Certificate[];
  /** Trust anchors: CAs that may have issued it, directly or through others of the chain. */
  readonly authorities: readonly X509Certificate[];
  /** The use that its extended key usage has to allow. @default {any} */
  readonly usage?: KeyUsage | undefined;
  /** Name or address that it has to carry. @default {any} */
  readonly serverName?: string | undefined;
  /** Which certificates are revoked. @default {none} */
  readonly revocation?: RevocationLists | undefined;
  /** @default {now} */
  readonly at?: Date;
  readonly mode: ValidationMode;
}

/**
 * How the signatures of a chain are checked:
 *
 * - `after_tls`: TLS accepted the chain, so a signature that cannot be checked here counts as good. Also for our own
 *   files.
 * - `names_only`: TLS refused the chain. Only names and dates are compared, to find out what is wrong: a refused peer
 *   must not cost signature checks. When no problem is found, that proves nothing.
 * - `standalone`: TLS has not validated the chain. Only the first certificate counts, a CA has to have issued it
 *   directly, and what cannot be checked is refused.
 */
export type ValidationMode = "after_tls" | "names_only" | "standalone";

/**
 * Validates a certificate: validity period, issuer, revocation, extended key usage and names (RFC 5280 section 6,
 * RFC 9525). A certificate without extended key usage is valid for no use. The number of signature checks is limited,
 * whatever the chain: see {@linkcode SignatureBudget}.
 *
 * @returns The first problem; undefined when the certificate is valid.
 */
export function validatePath(validation: PathValidation): CertificateProblem | undefined {
  if (validation.chain.length > MAX_CHAIN) return chainTooLong(validation.chain.length);
  try {
    return findProblem(validation, new SignatureBudget());
  } catch (error) {
    if (!(error instanceof SignatureBudgetExceeded)) throw error;
    return new CertificateProblem("chain", "needs more signature checks than one validation may make");
  }
}

/** The problem of a chain that is too long to be validated. */
export function chainTooLong(length: number): CertificateProblem {
  return new CertificateProblem(
    "chain",
    `came in a chain of ${length} certificates, and at most ${MAX_CHAIN} are accepted`,
  );
}

function findProblem(validation: PathValidation, budget: SignatureBudget): CertificateProblem | undefined {
  const { authorities, usage, serverName, revocation, at = new Date(), mode } = validation;
  const chain = mode === "standalone" ? validation.chain.slice(0, 1) : validation.chain;
  const leaf = chain[0];
  if (leaf === undefined) return new CertificateProblem("missing", "is missing");
  const isIssuer = issuerTest(mode, budget);
  const problem = dateProblem(leaf, at) ?? issuerProblem(chain, authorities, at, isIssuer, mode);
  if (problem !== undefined) return problem;
  const revoked = revocation?.whyRevoked(chain, authorities, isIssuer);
  if (revoked !== undefined) return new CertificateProblem("revoked", revoked);
  const { usages, names } = certificateFields(leaf);
  if (usage !== undefined && !usages.includes(usage)) {
    return new CertificateProblem("usage", `is not for ${usage} (extended key usage)`);
  }
  if (serverName !== undefined && !matchesServerName(names, serverName)) {
    return new CertificateProblem("name", `is not for "${serverName}": it carries ${listNames(names)}`);
  }
  return undefined;
}

function dateProblem(certificate: X509Certificate, at: Date): CertificateProblem | undefined {
  const validity = { from: new Date(certificate.validFrom), until: new Date(certificate.validTo) };
  const { from, until } = validity;
  if (at < from) {
    return new CertificateProblem("not_yet_valid", `is not valid before ${from.toISOString()}`, validity);
  }
  if (at > until) return new CertificateProblem("expired", `expired on ${until.toISOString()}`, validity);
  return undefined;
}

function issuerTest(mode: ValidationMode, budget: SignatureBudget): IsIssuer {
  switch (mode) {
    case "names_only":
      return isNamedIssuer;
    case "after_tls":
      return (issuer, certificate) => mayHaveIssued(issuer, certificate, budget);
    case "standalone":
      return (issuer, certificate) => checkIssuer(issuer, certificate, budget) === "yes";
  }
}

/** Follows the issuers from the first certificate to a trust anchor. */
function issuerProblem(
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  at: Date,
  isIssuer: IsIssuer,
  mode: ValidationMode,
): CertificateProblem | undefined {
  let current = chain[0]!;
  for (let depth = 0; depth < MAX_CHAIN; depth++) {
    const authority = authorities.find((candidate) => isIssuer(candidate, current));
    if (authority !== undefined) {
      const problem = issuerDateProblem(authority, at);
      if (problem !== undefined || mode !== "standalone") return problem;
      return standaloneAuthorityProblem(authority) ?? standaloneLeafProblem(current);
    }
    const next = chain.find((candidate) => candidate !== current && isIssuer(candidate, current));
    if (next === undefined) break;
    const problem = issuerDateProblem(next, at);
    if (problem !== undefined) return problem;
    current = next;
  }
  return untrustedIssuer(current, authorities, mode);
}

function issuerDateProblem(issuer: X509Certificate, at: Date): CertificateProblem | undefined {
  const problem = dateProblem(issuer, at);
  const text = `was issued by ${subjectOf(issuer)}, whose own certificate ${problem?.text}`;
  return problem && new CertificateProblem("issuer_dates", text, problem.validity);
}

function untrustedIssuer(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  mode: ValidationMode,
): CertificateProblem {
  // The result is cached by now.
  const isUncheckable = (authority: X509Certificate) => checkIssuer(authority, certificate) === "uncheckable";
  if (mode === "standalone" && authorities.some(isUncheckable)) {
    const reason = "was issued with a key whose signatures cannot be checked here, such as P-521";
    return new CertificateProblem("uncheckable", reason);
  }
  const issuer = nameOnOneLine(certificate.issuer);
  if (authorities.some((authority) => nameOnOneLine(authority.subject) === issuer)) {
    return new CertificateProblem(
      "other_authority",
      `was issued by another ${issuer}, not by the one trusted here`,
    );
  }
  const trusted = authorities.map(subjectOf).join(" or ");
  return new CertificateProblem("foreign", `was issued by ${issuer}, not by ${trusted}`);
}

/** Bits of the shortest RSA key that TLS accepts here. */
const MIN_RSA_BITS = 2_048;

/**
 * Finds what TLS would refuse about a CA, and a `standalone` validation therefore has to refuse itself (RFC 5280
 * sections 4.2 and 6.1). It accepts no intermediate CAs, so their usage and path length need no checks.
 */
export function standaloneAuthorityProblem(authority: X509Certificate): CertificateProblem | undefined {
  const { hasNameConstraints } = certificateFields(authority);
  const { namedCurve, modulusLength = MIN_RSA_BITS } = authority.publicKey.asymmetricKeyDetails ?? {};
  const uncheckable = (reason: string) =>
    new CertificateProblem("uncheckable", `was issued by ${subjectOf(authority)}${reason}`);
  if (hasNameConstraints) return uncheckable(", whose name constraints cannot be checked here");
  if (namedCurve === "secp521r1") {
    return uncheckable(" with a P-521 key, whose signatures cannot be checked here");
  }
  if (modulusLength < MIN_RSA_BITS) {
    return uncheckable(` with an RSA key of ${modulusLength} bits, which is too short`);
  }
  return undefined;
}

/** Finds what TLS would refuse about a client's own certificate, as {@linkcode standaloneAuthorityProblem} does. */
function standaloneLeafProblem(leaf: X509Certificate): CertificateProblem | undefined {
  const { unknownCritical, hasStrongSignature } = certificateFields(leaf);
  if (leaf.ca) {
    const advice = `use the certificate that "${certsCommand("init")}" or "certs issue" made for the client`;
    return new CertificateProblem("usage", `is a CA certificate, not a client's: ${advice}`);
  }
  if (unknownCritical.length > 0) {
    return new CertificateProblem("usage", `has an unknown critical extension (${unknownCritical[0]})`);
  }
  if (!hasStrongSignature) {
    return new CertificateProblem("uncheckable", "is signed with an algorithm that TLS refuses");
  }
  return undefined;
}
