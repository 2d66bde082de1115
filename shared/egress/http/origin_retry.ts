import { isConnectionReset } from "../../net/os_error.ts";

/** Idempotent methods (RFC 9110 section 9.2.2, and IANA's registry of methods). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PROPFIND", "REPORT", "SEARCH"],
]);

/** A request whose connection failed. */
export interface FailedRequest {
  /** What failed. */
  readonly error: unknown;
  readonly method: string;
  /** Whether the connection had served another request before. */
  readonly wasReused: boolean;
  /** Whether this was a retry already. */
  readonly isRetry: boolean;
  /** Whether the client has sent all of it, and it had no body. */
  readonly isComplete: boolean;
  /** Whether the origin sent anything for it, an interim response included. */
  readonly hasResponse: boolean;
}

/**
 * Whether a request may be sent again on a new connection. An origin may close an idle connection just as the next
 * request leaves; then it has most likely not seen it (RFC 9112 section 9.3.1). Once only, and only where a second
 * request would do no harm and nothing of it is lost: idempotent, without a body, and unanswered.
 */
export function mayRetry(request: FailedRequest): boolean {
  const { error, method, wasReused, isRetry, isComplete, hasResponse } = request;
  return wasReused && !isRetry && isComplete && !hasResponse && IDEMPOTENT.has(method) &&
    isConnectionReset(error);
}
