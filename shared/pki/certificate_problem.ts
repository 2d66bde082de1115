import { certsCommand } from "../cli/command_line.ts";
import { SallyportError } from "../errors.ts";

/** What can be wrong with a certificate. */
export type CertificateProblemKind =
  /** There is no certificate. */
  | "missing"
  | "not_yet_valid"
  | "expired"
  /** An intermediate certificate, or the CA's own, is expired or not yet valid. */
  | "issuer_dates"
  /** Its issuer is not trusted here. */
  | "foreign"
  /** Its issuer has the name of a trusted CA, and another key. */
  | "other_authority"
  /** Its signature cannot be checked here. */
  | "uncheckable"
  /** Its chain is too long, or needs too many signature checks. */
  | "chain"
  | "revoked"
  /** Its extended key usage does not allow this use. */
  | "usage"
  /** It does not carry the server name. */
  | "name";

/** The validity period of a certificate (RFC 5280 section 4.1.2.5). */
export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

/** What to do about some problems of a certificate that belongs to an agent or a server. */
const ADVICE: Readonly<Partial<Record<CertificateProblemKind, string>>> = {
  expired: `renew it with "${certsCommand("renew")}", or correct the clock of this machine`,
  not_yet_valid: "correct the clock of this machine",
  issuer_dates: "check the clock of this machine; when the CA has expired, make a new one with " +
    `"${certsCommand("init")}"`,
};

/** What is wrong with a certificate. */
export class CertificateProblem {
  /**
   * @param text A clause that follows "the certificate … ".
   * @param validity Validity of the expired or not yet valid certificate; undefined for other problems.
   */
  constructor(
    readonly kind: CertificateProblemKind,
    readonly text: string,
    readonly validity?: Validity,
  ) {}

  /** The text, followed by what to do where that is known. */
  get textWithAdvice(): string {
    const advice = ADVICE[this.kind];
    return advice === undefined ? this.text : `${this.text}; ${advice}`;
  }

  /** Makes an error with this problem as its cause, for {@linkcode certificateProblemOf}. */
  toError(message: string): SallyportError {
    return new SallyportError("peer_rejected", message, { cause: this });
  }
}

/** Returns the certificate problem that caused an error; undefined when it has another cause. */
export function certificateProblemOf(error: unknown): CertificateProblem | undefined {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause instanceof CertificateProblem ? cause : undefined;
}
