/** Why a certificate can be taken back, and how a list writes it (RFC 5280 section 5.3.1). */
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

/** A reason as lists name it. */
export type Reason = keyof typeof REASON_CODES;

/** Reasons that can be given here: those that concern a certificate of a server or a client, and are for good. */
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

/** The reason with that code; `unspecified` for one that nobody knows. */
export function reasonOf(code: number | undefined): Reason {
  const names = Object.keys(REASON_CODES) as Reason[];
  return names.find((name) => REASON_CODES[name] === code) ?? "unspecified";
}
