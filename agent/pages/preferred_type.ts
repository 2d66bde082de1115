/** Media types that a page can have; the first is the default. */
const TYPES = ["text/plain", "application/json", "text/html"] as const;

/** The media type of a page. */
export type PageType = typeof TYPES[number];

/**
 * The media type that a client prefers (RFC 9110 section 12.5.1): browsers name `text/html`, programs that read JSON
 * name `application/json`, and `curl` accepts anything, which means text. Of types with equal quality, HTML precedes
 * JSON, and JSON precedes text.
 *
 * @param accept The `Accept` field; undefined when it is missing.
 */
export function preferredType(accept: string | undefined): PageType {
  const ranges = rangesOf(accept ?? "");
  let best: PageType = "text/plain";
  let bestQuality = 0;
  for (const type of ["text/html", "application/json"] as const) {
    const quality = ranges.get(type) ?? 0;
    if (quality > bestQuality) [best, bestQuality] = [type, quality];
  }
  return (ranges.get("text/plain") ?? 0) > bestQuality ? "text/plain" : best;
}

/** Each media range in lower case with its quality. */
function rangesOf(accept: string): Map<string, number> {
  const ranges = new Map<string, number>();
  for (const part of accept.slice(0, 2_000).toLowerCase().split(",")) {
    const [range = "", ...parameters] = part.split(";").map((word) => word.trim());
    const [, weight = "1"] = /^q=(\d(?:\.\d{1,3})?)$/.exec(parameters.at(-1) ?? "") ?? [];
    ranges.set(range, Number(weight));
  }
  return ranges;
}
