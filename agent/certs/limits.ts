import { SallyportError } from "../../shared/errors.ts";

/** Milliseconds of a day. */
export const DAY_MS = 86_400_000;
/** The longest life that can be asked for, in days: a hundred years, beyond which dates have another format. */
export const MAX_DAYS = 36_500;
/** Milliseconds by which certificates begin before they are made, for the clocks that are behind. */
export const BACKDATED_MS = 3_600_000;
/** Life of a certificate, in days, unless something else is asked for. */
export const DEFAULT_DAYS = 825;

/**
 * The moment that many days from now.
 *
 * @param doing What cannot be done otherwise, for the message: `make certificates`.
 * @throws {SallyportError} `bad_request` when `days` is not a whole number from 1 to {@linkcode MAX_DAYS}.
 */
export function inDays(days: number, doing: string): Date {
  if (Number.isInteger(days) && days >= 1 && days <= MAX_DAYS) return new Date(Date.now() + days * DAY_MS);
  const problem = `current value of days is ${days}, 1 to ${MAX_DAYS} are allowed`;
  throw new SallyportError("bad_request", `Cannot ${doing}: ${problem}`);
}

/**
 * The end of a certificate that is made now and lives that many days. The time by which it is dated back counts:
 * some clients refuse servers' certificates that live longer than 825 days, by whatever CA.
 *
 * @throws {SallyportError} As {@linkcode inDays}.
 */
export function endOfLife(days: number, doing: string): Date {
  return new Date(inDays(days, doing).getTime() - BACKDATED_MS);
}
