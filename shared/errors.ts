/**
 * Every way in which a stream, a connection or a request can fail. The list is
 * closed: SPEC.md section 6 says what each code means on the wire.
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
  "peer_rejected",
  "version_unsupported",
  "protocol_violation",
  "flow_control_violation",
  "frame_too_large",
  "internal",
] as const;

/** One of {@linkcode ERROR_CODES}. */
export type ErrorCode = typeof ERROR_CODES[number];

/** Where an error happened: in this process itself. */
export type ErrorPlace = "here";

const KNOWN: ReadonlySet<string> = new Set(ERROR_CODES);

/**
 * The one error class of Sallyport. Rooms throw it, the wire carries its `code`
 * and message, and the agent turns the code into an HTTP status.
 */
export class SallyportError extends Error {
  override readonly name = "SallyportError";
  /** Where it happened, when that is not where errors of its code happen as a rule; it never travels. */
  readonly at: ErrorPlace | undefined;

  /**
   * @param code What kind of failure this is.
   * @param message What failed and the value at hand, without a full stop.
   * @param options `cause`: the error beneath, for logs; `at`: where it happened. Neither travels.
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions & { at?: ErrorPlace | undefined },
  ) {
    super(message, options);
    this.at = options?.at;
  }

  /** Wraps whatever was thrown: a `SallyportError` stays itself, anything else becomes one with `code`. */
  static from(reason: unknown, code: ErrorCode = "internal"): SallyportError {
    if (reason instanceof SallyportError) return reason;
    const message = reason instanceof Error ? reason.message : String(reason);
    return new SallyportError(code, message, { cause: reason });
  }

  /** Builds the error that a peer reported; a code that this version does not know reads as `internal`. */
  static fromWire(code: string, message: string, at?: ErrorPlace): SallyportError {
    return new SallyportError(isErrorCode(code) ? code : "internal", message, { at });
  }
}

/** Tells whether `text` is a code of the closed list. */
function isErrorCode(text: string): text is ErrorCode {
  return KNOWN.has(text);
}
