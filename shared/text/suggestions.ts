/** The most suggestions; more would not help. */
const MAX_SUGGESTIONS = 3;

/**
 * The names that were probably meant: those with the smallest edit distance, or else those that contain every word of
 * the text.
 *
 * @returns An empty list if none is similar.
 */
export function suggestions(written: string, names: readonly string[]): string[] {
  const asked = normal(written);
  const ranked = names.map((name) => ({ name, distance: distance(asked, normal(name)) }));
  const best = Math.min(...ranked.map((each) => each.distance));
  const near = best <= tolerance(asked)
    ? ranked.filter((each) => each.distance === best).map(({ name }) => name)
    : names.filter((name) => hasWords(name, asked));
  return near.length <= MAX_SUGGESTIONS ? near : [];
}

/** `did you mean a, b or c?`, or nothing. */
export function didYouMean(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const [last, ...rest] = [...names].reverse();
  return `did you mean ${rest.length === 0 ? last : `${rest.reverse().join(", ")} or ${last}`}?`;
}

/** Normalizes the style: `serverIp`, `server-ip` and `SERVER_IP` are the same. */
function normal(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase().replace(/[\s-]+/g, "_");
}

function tolerance(asked: string): number {
  return Math.min(3, Math.floor(asked.length / 3));
}

function hasWords(name: string, asked: string): boolean {
  const words = name.split(/[._]+/);
  return asked.split(/[._]+/).every((word) => words.includes(word));
}

/** Letters inserted, removed, replaced or swapped with the next (optimal string alignment distance). */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return Infinity;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j]! + 1, next[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        next[j] = Math.min(next[j]!, before[j - 2]! + 1);
      }
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
