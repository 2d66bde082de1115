/** Reasons for a revocation, with their codes (RFC 5280 section 5.3.1). */
export const REASON_CODES = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

/** A reason for a revocation. */
export type Reason = keyof typeof REASON_CODES;

/** Reasons that `certs revoke` accepts: those that apply to a server or client certificate and are permanent. */
export const GIVEN_REASONS = [
  "unspecified",
  "keyCompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
] as const satisfies readonly Reason[];

/** One of {@linkcode GIVEN_REASONS}. */
export type GivenReason = typeof GIVEN_REASONS[number];

/** Returns the reason with that code; `unspecified` for an unknown one. */
export function reasonOf(code: number | undefined): Reason {
  const names = Object.keys(REASON_CODES) as Reason[];
  return names.find((name) => REASON_CODES[name] === code) ?? "unspecified";
}
