import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * A client that was never told to go on may keep its body to itself, and then its next request would be taken
 * for that body (RFC 9110 section 10.1.1): such a connection ends with the answer.
 */
export function closeIfBodyIsDoubtful(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect !== undefined && !request.complete) response.shouldKeepAlive = false;
}
