import type { LoadKind, Metric } from "./load/loads.ts";

/** One kind of work that is measured. */
export interface Row {
  /** Its name on the command line. */
  readonly id: string;
  readonly title: string;
  readonly kind: LoadKind;
  readonly streams: number;
  /** The figures that are reported, the most important one first. */
  readonly metrics: readonly Metric[];
}

/** All rows, in the order in which they run and are printed. */
export const ROWS: readonly Row[] = [
  { id: "down1", title: "download ×1", kind: "down", streams: 1, metrics: ["MB/s"] },
  { id: "up1", title: "upload ×1", kind: "up", streams: 1, metrics: ["MB/s"] },
  { id: "down8", title: "download ×8", kind: "down", streams: 8, metrics: ["MB/s"] },
  { id: "tunnels1", title: "new tunnels ×1", kind: "tunnels", streams: 1, metrics: ["/s", "p50 ms"] },
  { id: "tunnels16", title: "new tunnels ×16", kind: "tunnels", streams: 16, metrics: ["/s"] },
  { id: "gets1", title: "small GETs on a kept tunnel", kind: "gets", streams: 1, metrics: ["p50 ms", "/s"] },
  {
    id: "gets32",
    title: "small GETs on 32 kept tunnels",
    kind: "gets",
    streams: 32,
    metrics: ["p50 ms", "/s"],
  },
  {
    id: "mixed",
    title: "small GETs on 4 kept tunnels during a download",
    kind: "mixed",
    streams: 4,
    metrics: ["p50 ms", "MB/s"],
  },
];

/** A path between the two ends of a tunnel. */
export interface PathChoice {
  /** Its name on the command line. */
  readonly id: "loopback" | "delay" | "queue" | "loss";
  readonly title: string;
}

/** All paths, in the order in which they are measured. */
export const PATHS: readonly PathChoice[] = [
  { id: "loopback", title: "loopback" },
  { id: "delay", title: "50 ms round trip (relay, 25 ms each way)" },
  { id: "queue", title: "100 Mbit/s, 20 ms round trip, queue of 16 MiB (relay)" },
  { id: "loss", title: "200 Mbit/s, 40 ms round trip, 1 % loss each way, CUBIC (network namespaces)" },
];

/** The rows to run on one path. */
export interface Selection {
  readonly path: PathChoice;
  readonly rows: readonly Row[];
}

/**
 * Reads a list of paths (`delay`), rows (`gets1`) and rows on one path (`delay/gets1`), separated by commas. Paths and
 * rows that are named separately are combined; what is not named is not restricted.
 *
 * @returns Only paths with rows.
 * @throws {Error} For a word that is neither.
 */
export function selectRows(text: string): Selection[] {
  const chosen = new Set<string>();
  const paths = new Set<string>();
  const rows = new Set<string>();
  for (const word of text.split(",").map((each) => each.trim()).filter((each) => each !== "")) {
    const [first = "", second] = word.split("/");
    if (second !== undefined && isPath(first) && isRow(second)) chosen.add(word);
    else if (second === undefined && isPath(word)) paths.add(word);
    else if (second === undefined && isRow(word)) rows.add(word);
    else throw new Error(`no row or path "${word}"; --list prints them`);
  }
  const isAll = chosen.size === 0 && paths.size === 0 && rows.size === 0;
  const isCombined = paths.size + rows.size > 0;
  return PATHS.map((path) => ({
    path,
    rows: ROWS.filter(({ id }) =>
      isAll || chosen.has(`${path.id}/${id}`) ||
      isCombined && (paths.size === 0 || paths.has(path.id)) && (rows.size === 0 || rows.has(id))
    ),
  })).filter((selection) => selection.rows.length > 0);
}

function isPath(word: string): boolean {
  return PATHS.some(({ id }) => id === word);
}

function isRow(word: string): boolean {
  return ROWS.some(({ id }) => id === word);
}
