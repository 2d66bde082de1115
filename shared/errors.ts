/**
 * Codes of all errors of streams, connections and requests. The list is closed; SPEC.md section 6 defines each code.
 */
export const ERROR_CODES = [
  "dns_error",
  "dns_timeout",
  "target_refused",
  "target_unreachable",
  "target_timeout",
  "target_denied",
  "target_reset",
  "target_protocol",
  "bad_request",
  "cancelled",
  "idle_timeout",
  "limit_reached",
  "going_away",
  "tunnel_down",
  "session_unknown",
  "peer_rejected",
  "version_unsupported",
  "protocol_violation",
  "flow_control_violation",
  "frame_too_large",
  "internal",
] as const;

/** One of {@linkcode ERROR_CODES}. */
export type ErrorCode = typeof ERROR_CODES[number];

/** Where an error happened: `here` is this process. */
type ErrorPlace = "here";

const KNOWN: ReadonlySet<string> = new Set(ERROR_CODES);

/**
 * The error class of Sallyport. `code` and message are sent on the wire, and the agent turns the code into an HTTP
 * status.
 */
export class SallyportError extends Error {
  override readonly name = "SallyportError";
  /** Where the error happened, if not where errors with its code usually do; never sent on the wire. */
  readonly at: ErrorPlace | undefined;

  /**
   * @param code The kind of error.
   * @param message "Cannot X: reason", without a full stop.
   * @param options `cause`: the underlying error, for logs; `at`: where it happened. Neither is sent on the wire.
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions & { at?: ErrorPlace | undefined },
  ) {
    super(message, options);
    this.at = options?.at;
  }

  /** Wraps anything that was thrown: a `SallyportError` is returned as it is, others become the `cause` of one. */
  static from(reason: unknown, code: ErrorCode = "internal"): SallyportError {
    if (reason instanceof SallyportError) return reason;
    const message = reason instanceof Error ? reason.message : String(reason);
    return new SallyportError(code, message, { cause: reason });
  }

  /** Makes the error that a peer reported; an unknown code is read as `internal` (SPEC.md 4.5). */
  static fromWire(code: string, message: string, at?: ErrorPlace): SallyportError {
    return new SallyportError(isErrorCode(code) ? code : "internal", message, { at });
  }
}

function isErrorCode(text: string): text is ErrorCode {
  return KNOWN.has(text);
}
