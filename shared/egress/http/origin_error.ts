import { SallyportError } from "../../errors.ts";
import { fromOsError, isConnectionReset } from "../../net/os_error.ts";

/** Error codes of node:http for an invalid request. */
const BAD_REQUEST_CODES: ReadonlySet<unknown> = new Set([
  "ERR_HTTP_INVALID_HEADER_VALUE",
  "ERR_HTTP_TRAILER_INVALID",
  "ERR_INVALID_CHAR",
  "ERR_INVALID_HTTP_TOKEN",
  "ERR_UNESCAPED_CHARACTERS",
]);

/** Translates what went wrong between this program and an HTTP origin. */
export function originError(reason: unknown, target: string): SallyportError {
  if (reason instanceof SallyportError) return reason;
  const code = String((reason as { code?: unknown } | null)?.code);
  if (BAD_REQUEST_CODES.has(code)) {
    return new SallyportError("bad_request", `Cannot forward the request: ${code}`, { cause: reason });
  }
  if (code.startsWith("HPE_")) {
    const message = `Cannot read the response of ${target}: it is not valid HTTP (${code})`;
    return new SallyportError("target_protocol", message, { cause: reason });
  }
  if (isConnectionReset(reason)) {
    const message = `Cannot get a response from ${target}: it closed the connection`;
    return new SallyportError("target_reset", message, { cause: reason });
  }
  return fromOsError(reason, `communicate with ${target}`);
}
