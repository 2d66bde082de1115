import { type ErrorCode, SallyportError } from "../../shared/errors.ts";
import { fromOsError } from "../../shared/net/os_error.ts";

/** What lies beneath an error of a connection, as one of the codes of `fromOsError`. */
export function reasonOf(error: unknown): ErrorCode {
  const cause = error instanceof SallyportError && error.code === "tunnel_down" ? error.cause : error;
  return cause === undefined ? "tunnel_down" : fromOsError(cause, "connect").code;
}
