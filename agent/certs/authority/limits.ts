import { SallyportError } from "../../../shared/errors.ts";

/** Milliseconds in a day. */
export const DAY_MS = 86_400_000;
/** The longest lifetime, in days: a hundred years, after which dates need another format. */
export const MAX_DAYS = 36_500;
/** Milliseconds by which certificates are backdated, for machines whose clock is slow. */
export const BACKDATED_MS = 3_600_000;
/** Default lifetime of a certificate, in days. */
export const DEFAULT_DAYS = 825;
/**
 * Default lifetime of a revocation list, in days: that of certificates. Lists are copied to the server by hand, and a
 * server does not start with an expired one, so a list that expires long before the certificates would cause an outage.
 */
export const DEFAULT_LIST_DAYS = DEFAULT_DAYS;
/** Lifetime of a CA, in days, unless its certificates last longer. */
export const AUTHORITY_DAYS = 3650;
/** Default name in a server's certificate. */
export const DEFAULT_SERVER_NAME = "sallyport-server";
/** Default common name of the client that `certs init` creates. */
export const DEFAULT_CLIENT_NAME = "sallyport-client";

/**
 * Returns the time that many days from now.
 *
 * @param doing The operation, for messages: `make certificates`.
 * @throws {SallyportError} `bad_request` when `days` is not a whole number from 1 to {@linkcode MAX_DAYS}.
 */
export function inDays(days: number, doing: string): Date {
  if (Number.isInteger(days) && days >= 1 && days <= MAX_DAYS) return new Date(Date.now() + days * DAY_MS);
  const problem = `current value of days is ${days}, 1 to ${MAX_DAYS} are allowed`;
  throw new SallyportError("bad_request", `Cannot ${doing}: ${problem}`);
}

/**
 * Returns when a certificate issued now for that many days expires. The backdating counts: some clients refuse a
 * server certificate that is valid for more than 825 days, whatever its CA.
 *
 * @throws {SallyportError} As {@linkcode inDays}.
 */
export function endOfLife(days: number, doing: string): Date {
  return new Date(inDays(days, doing).getTime() - BACKDATED_MS);
}
