import type { MuxStream } from "../../../shared/mux/stream/stream.ts";

/** What decides, besides its stream, whether a request can be sent again. */
export interface RetryableRequest {
  /** Whether the client still waits for a response. */
  readonly isWaiting: boolean;
  /** Whether everything that was sent can be sent again; a body that passes through is not kept. */
  readonly isReplayable: boolean;
}

/**
 * Whether a request is sent again on a new stream after its stream closed. Only a stream that the server never
 * looked at qualifies: the server was shutting down, and another server, or this one after its restart, may serve
 * the request (SPEC.md 3.4). Any other request may have had an effect and is never sent twice.
 */
export function shouldRetry(
  { unprocessed }: Pick<MuxStream, "unprocessed">,
  { isWaiting, isReplayable }: RetryableRequest,
): boolean {
  return unprocessed && isWaiting && isReplayable;
}
