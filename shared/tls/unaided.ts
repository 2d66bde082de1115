/**
 * What TLS refuses at the server, and a judgement that no TLS stands behind has to refuse itself (RFC 5280 sections
 * 4.2 and 6.1). It knows no intermediate authorities, so that no usage or path length of theirs has to be checked.
 */
import type { X509Certificate } from "node:crypto";
import { certificateFields } from "./certificate_fields.ts";
import { Fault } from "./fault.ts";
import { subjectOf } from "./subject.ts";

/** Bits of the shortest RSA key that TLS takes here. */
const MIN_RSA_BITS = 2_048;

/** Looks for what such a judgement cannot take of an authority; undefined when there is nothing. */
export function unaidedAuthorityFault(authority: X509Certificate): Fault | undefined {
  const { hasNameConstraints } = certificateFields(authority);
  const { namedCurve, modulusLength = MIN_RSA_BITS } = authority.publicKey.asymmetricKeyDetails ?? {};
  const whose = `was issued by ${subjectOf(authority)}`;
  if (hasNameConstraints) {
    return new Fault("uncheckable", `${whose}, whose name constraints cannot be checked here`);
  }
  if (namedCurve === "secp521r1") {
    return new Fault("uncheckable", `${whose} with a P-521 key, whose signatures cannot be checked here`);
  }
  if (modulusLength < MIN_RSA_BITS) {
    return new Fault("uncheckable", `${whose} with an RSA key of ${modulusLength} bits, which is too short`);
  }
  return undefined;
}

/** Looks for what such a judgement cannot take of a peer's own certificate; undefined when there is nothing. */
export function unaidedLeafFault(leaf: X509Certificate): Fault | undefined {
  const { unknownCritical, hasStrongSignature } = certificateFields(leaf);
  if (leaf.ca) return new Fault("usage", "is a CA certificate, and cannot be the one of a client");
  if (unknownCritical.length > 0) {
    return new Fault("usage", `has a critical extension that is not known here (${unknownCritical[0]})`);
  }
  if (!hasStrongSignature) {
    return new Fault("uncheckable", "is signed with an algorithm that TLS does not take");
  }
  return undefined;
}
