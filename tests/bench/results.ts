import type { Figures, Metric } from "./load/loads.ts";
import { median } from "./statistics.ts";

/** Everything that a benchmark measured; what `--json` writes. */
export interface BenchResult {
  /** ISO 8601, in UTC. */
  readonly started_at: string;
  readonly deno: string;
  readonly processors: number;
  readonly runs: number;
  /** The limits of a run. */
  readonly seconds: number;
  readonly mb: number;
  readonly paths: readonly PathResult[];
}

/** What was measured on one path. */
export interface PathResult {
  readonly path: string;
  readonly title: string;
  /** Why the path was left out. */
  skipped?: string;
  /** What has to be said about its figures. */
  note?: string;
  readonly subjects: SubjectResult[];
  readonly rows: RowResult[];
}

/** A tunnel on one path. */
export interface SubjectResult {
  readonly name: string;
  /** Why it was left out. */
  skipped?: string;
  /** Resident memory after the rows in MiB, by process. */
  memory_mib?: Readonly<Record<string, number>>;
}

/** One row on one path. */
export interface RowResult {
  readonly row: string;
  readonly title: string;
  readonly metrics: readonly Metric[];
  /** By subject. */
  readonly measured: Readonly<Record<string, Measured>>;
}

/** All runs of a row by one subject. */
export interface Measured {
  readonly runs: Figures[];
  readonly errors: string[];
}

/** The median of a figure; undefined when a run failed, since the others may be no better. */
export function figureOf({ runs, errors }: Measured, metric: Metric): number | undefined {
  const values = runs.flatMap((run) => run[metric] ?? []);
  return errors.length > 0 || values.length === 0 ? undefined : median(values);
}
