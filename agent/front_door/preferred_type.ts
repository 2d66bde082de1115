/** Kinds of page that a refusal can be, the one first that is for those who do not care. */
const TYPES = ["text/plain", "application/json", "text/html"] as const;

/** One of the kinds of page. */
export type PageType = typeof TYPES[number];

/**
 * The kind of page that a client likes best (RFC 9110 section 12.5.1): a browser names `text/html`, a program that
 * reads JSON names that, and `curl` takes anything, which is text. Of kinds that are liked as much the more special
 * one is taken that was named.
 *
 * @param accept The field `Accept`; undefined when it is missing.
 */
export function preferredType(accept: string | undefined): PageType {
  const liked = rangesOf(accept ?? "");
  let best: PageType = "text/plain";
  let bestQuality = 0;
  for (const type of ["text/html", "application/json"] as const) {
    const quality = liked.get(type) ?? 0;
    if (quality > bestQuality) [best, bestQuality] = [type, quality];
  }
  return (liked.get("text/plain") ?? 0) > bestQuality ? "text/plain" : best;
}

/** Each range that is named, in small letters, with its quality. */
function rangesOf(accept: string): Map<string, number> {
  const ranges = new Map<string, number>();
  for (const part of accept.slice(0, 2_000).toLowerCase().split(",")) {
    const [range = "", ...parameters] = part.split(";").map((word) => word.trim());
    const [, weight = "1"] = /^q=(\d(?:\.\d{1,3})?)$/.exec(parameters.at(-1) ?? "") ?? [];
    ranges.set(range, Number(weight));
  }
  return ranges;
}
