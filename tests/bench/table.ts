import type { Metric } from "./load/loads.ts";
import { type BenchResult, figureOf, type PathResult, type RowResult } from "./results.ts";

/** The result as Markdown: a table for each path, and what was left out or failed below it. */
export function tablesOf(result: BenchResult): string {
  const { runs, seconds, mb, processors, deno } = result;
  const head =
    `Medians of ${runs}, at most ${seconds} s and ${mb} MB a run; ${processors} processors, Deno ${deno}. ` +
    "A ratio divides the first figure by the one before it: above 1 is better for MB/s and /s, below 1 for ms.";
  return [head, ...result.paths.map(sectionOf)].join("\n\n") + "\n";
}

function sectionOf(path: PathResult): string {
  const title = `### ${path.title}`;
  if (path.skipped !== undefined) return `${title}\n\nLeft out: ${path.skipped}.`;
  const notes = [
    ...path.subjects.flatMap(({ name, skipped }) =>
      skipped === undefined ? [] : [`${name} left out: ${skipped}.`]
    ),
    ...path.rows.flatMap(failuresOf),
    ...path.subjects.flatMap(({ name, memory_mib }) =>
      memory_mib === undefined ? [] : [memoryOf(name, memory_mib)]
    ),
  ];
  if (path.note !== undefined) notes.push(`On this path ${path.note}.`);
  return [title, tableOf(path), ...notes].join("\n\n");
}

function tableOf({ subjects, rows }: PathResult): string {
  const [own, ...others] = subjects.filter(({ skipped }) => skipped === undefined).map(({ name }) => name);
  if (own === undefined) return "Nothing was measured.";
  const head = ["what", "unit", own, ...others.flatMap((name) => [name, "ratio"])];
  const lines = rows.flatMap((row) => row.metrics.map((metric) => lineOf(row, metric, own, others)));
  return markdown([head, ...lines]);
}

function lineOf(row: RowResult, metric: Metric, own: string, others: readonly string[]): string[] {
  const figure = (name: string) => row.measured[name] && figureOf(row.measured[name], metric);
  const first = figure(own);
  const compared = others.flatMap((name) => {
    const other = figure(name);
    return [rounded(other), first === undefined || other === undefined ? "–" : (first / other).toFixed(2)];
  });
  return [row.title, metric, rounded(first), ...compared];
}

function failuresOf({ title, measured }: RowResult): string[] {
  return Object.entries(measured).flatMap(([name, { errors }]) =>
    errors.length === 0 ? [] : [`${title}, ${name}: ${errors.length} failed, such as: ${errors[0]}.`]
  );
}

function memoryOf(name: string, memory: Readonly<Record<string, number>>): string {
  const parts = Object.entries(memory).map(([process, mib]) => `${process} ${Math.round(mib)} MiB`);
  return `Resident memory of ${name} at the end: ${parts.join(", ")}.`;
}

/** Three digits, or all of those before the point. */
function rounded(value: number | undefined): string {
  if (value === undefined) return "–";
  if (value >= 100) return value.toFixed(0);
  return Number(value.toPrecision(3)).toString();
}

/** A Markdown table as `deno fmt` writes it. */
function markdown([head, ...lines]: readonly string[][]): string {
  const widths = head!.map((_, at) => Math.max(3, ...[head!, ...lines].map((line) => line[at]!.length)));
  const format = (line: readonly string[]) =>
    `| ${line.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  return [head!, widths.map((width) => "-".repeat(width)), ...lines].map(format).join("\n");
}
