/**
 * How far this machine's clock is ahead of whoever answered, by the field `Date` (RFC 9110 section 6.6.1), in
 * milliseconds. Where a cache answered, `Date` is of the origin or of the cache itself, as some do, so that the time is
 * anywhere between it and `Age` (RFC 9111 section 5.1) later.
 *
 * @param times When the request left and its answer came, by this machine's clock: the answer is from in between.
 * @returns What is certain: 0 where the clock may be right; undefined where nothing tells the time.
 */
export function clockAheadBy(
  headers: Readonly<Record<string, string | undefined>>,
  { sent, received }: { sent: number; received: number },
): number | undefined {
  const date = Date.parse(headers["date"] ?? "");
  if (Number.isNaN(date)) return undefined;
  const age = Number(headers["age"] ?? 0);
  // Its resolution is a second.
  const latest = date + (Number.isFinite(age) && age > 0 ? age * 1_000 : 0) + 1_000;
  if (sent > latest) return sent - latest;
  return received < date ? received - date : 0;
}
