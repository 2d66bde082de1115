/** The longest delay of a timer; with a longer one, timers fire at once. */
export const MAX_DURATION = 2_147_483_647;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Writes milliseconds as a duration, in the largest unit that gives a whole number. */
export function durationText(ms: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => ms % size === 0)!;
  return `${ms / size}${unit}`;
}

/** Parses a duration such as `"500ms"`, `"60s"`, `"15m"` or `"1h"` as milliseconds; undefined for other texts. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * UNITS[unit as keyof typeof UNITS];
}
