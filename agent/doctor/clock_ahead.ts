/**
 * How far this machine's clock is ahead of whoever answered, by the field `Date` (RFC 9110 section 6.6.1), in
 * milliseconds. What stands in `Age` (RFC 9111 section 5.1) passed since then, where a cache answered.
 *
 * @param times When the request left and its answer came, by this machine's clock: the answer is from in between.
 * @returns 0 for less than `Date` can tell, undefined where it tells nothing.
 */
export function clockAheadBy(
  headers: Readonly<Record<string, string | undefined>>,
  { sent, received }: { sent: number; received: number },
): number | undefined {
  const date = Date.parse(headers["date"] ?? "");
  if (Number.isNaN(date)) return undefined;
  const age = Number(headers["age"] ?? 0);
  const then = date + (Number.isFinite(age) ? age * 1_000 : 0);
  // Its resolution is a second.
  if (then + 1_000 < sent) return sent - then - 1_000;
  return then > received ? received - then : 0;
}
