import { SallyportError } from "../errors.ts";
import { fromOsError } from "../net/os_error.ts";

/** Failures of node:http that are the request's own. */
const BAD_REQUEST_CODES: ReadonlySet<unknown> = new Set([
  "ERR_HTTP_INVALID_HEADER_VALUE",
  "ERR_HTTP_TRAILER_INVALID",
  "ERR_INVALID_CHAR",
  "ERR_INVALID_HTTP_TOKEN",
  "ERR_UNESCAPED_CHARACTERS",
]);

/** Says in our words what went wrong between this program and an HTTP origin. */
export function originError(reason: unknown, target: string): SallyportError {
  if (reason instanceof SallyportError) return reason;
  const code = String((reason as { code?: unknown } | null)?.code);
  if (BAD_REQUEST_CODES.has(code)) {
    return new SallyportError("bad_request", `Cannot pass the request on: ${code}`, { cause: reason });
  }
  if (code.startsWith("HPE_")) {
    const message = `Cannot read the answer of ${target}: it is not valid HTTP (${code})`;
    return new SallyportError("target_protocol", message, { cause: reason });
  }
  if (code === "ECONNRESET" || code === "EPIPE") {
    const message = `Cannot get an answer of ${target}: it broke the connection off`;
    return new SallyportError("target_reset", message, { cause: reason });
  }
  return fromOsError(reason, `talk to ${target}`);
}
