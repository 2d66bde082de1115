import type { FleetFailureCode } from "../cloud/fleet_status.ts";

/** A failed call of AWS, as reported to callers. */
export class CloudError extends Error {
  override readonly name = "CloudError";

  /**
   * @param code The kind of error.
   * @param message What failed, and the reason that AWS gives.
   * @param options `cause`: the error of the AWS library, for logs.
   */
  constructor(readonly code: FleetFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

const CODES: readonly (readonly [RegExp, FleetFailureCode])[] = [
  [/Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/, "throttled"],
  [/AccessDenied|Unauthorized|UnrecognizedClient|InvalidClientToken|ExpiredToken|Credentials/, "not_allowed"],
  [/ServiceNotFound|ServiceNotActive|ClusterNotFound|ParameterNotFound/, "service_missing"],
  [
    /Timeout|Abort|ServerException|ServiceUnavailable|InternalError|InternalService|InternalFailure/,
    "unavailable",
  ],
];

/** Names and codes of an error and its causes, for `CODES`. */
function namesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { code } = error as { code?: unknown };
  return [error.name, String(code ?? ""), ...namesOf(error.cause)];
}

/**
 * Converts an error of the AWS library, with a code that separates temporary errors from those that have to be fixed.
 *
 * @param doing What failed, as it follows "Cannot".
 */
export function cloudErrorOf(error: unknown, doing: string): CloudError {
  if (error instanceof CloudError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const { $metadata, $retryable } = (error ?? {}) as {
    $metadata?: { httpStatusCode?: number };
    $retryable?: { throttling?: boolean };
  };
  const names = namesOf(error).join(" ");
  const status = $metadata?.httpStatusCode;
  const code = $retryable?.throttling || status === 429
    ? "throttled"
    : CODES.find(([pattern]) => pattern.test(names))?.[1] ??
      // Without a status there was no answer: a network error.
      ((status === undefined || status >= 500) ? "unavailable" : "cloud_error");
  return new CloudError(code, `Cannot ${doing}: ${reason}`, { cause: error });
}
