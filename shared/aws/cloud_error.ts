import type { FleetFailureCode } from "../cloud/fleet_status.ts";

/** What AWS did not do, as callers are told. */
export class CloudError extends Error {
  override readonly name = "CloudError";

  /**
   * @param code What kind of failure this is.
   * @param message What failed and what AWS says of it, without a full stop.
   * @param options `cause`: the error of AWS' library, for logs.
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

/** Names and codes of an error and of those beneath it, for `CODES`. */
function namesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { code } = error as { code?: unknown };
  return [error.name, String(code ?? ""), ...namesOf(error.cause)];
}

/**
 * Sorts an error of AWS' library into those that pass and those that have to be mended.
 *
 * @param doing What was tried, as it follows "Cannot".
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
      // Without a status nobody has answered: the network is to blame.
      ((status === undefined || status >= 500) ? "unavailable" : "cloud_error");
  return new CloudError(code, `Cannot ${doing}: ${reason}`, { cause: error });
}
