import { SallyportError } from "../errors.ts";

/** What can be wrong with a certificate. */
export type FaultKind =
  /** There is none. */
  | "missing"
  | "not_yet_valid"
  | "expired"
  /** A certificate between it and the CA, or the CA's own, is not in date. */
  | "issuer_dates"
  /** Somebody issued it who is not trusted here. */
  | "foreign"
  /** Its issuer has the name of one that is trusted, and another key. */
  | "other_authority"
  /** Its signature is of a kind that cannot be checked here. */
  | "uncheckable"
  /** It came with more certificates than may be, or needs more signature checks than may be. */
  | "chain"
  | "revoked"
  /** It is for something else. */
  | "usage"
  /** It is for somebody else. */
  | "name";

/** When a certificate is good. */
export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

/** What is wrong with a certificate. */
export class Fault {
  /**
   * @param text In words that follow "the certificate … ".
   * @param validity Of the certificate that is not in date; undefined where dates are not what is wrong.
   */
  constructor(readonly kind: FaultKind, readonly text: string, readonly validity?: Validity) {}

  /** An error that carries it, for {@linkcode faultOf}. */
  rejection(message: string): SallyportError {
    return new SallyportError("peer_rejected", message, { cause: this });
  }
}

/** What was wrong with the certificate that an error is about; undefined where it is about none. */
export function faultOf(error: unknown): Fault | undefined {
  const { cause } = (error ?? {}) as { cause?: unknown };
  return cause instanceof Fault ? cause : undefined;
}
