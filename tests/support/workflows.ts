import { parse } from "yaml";

const ROOT = new URL("../../", import.meta.url);

/** A step of a job, as far as tests read it. */
export interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** A job of a workflow. */
export interface Job {
  readonly needs?: string | string[];
  readonly outputs?: Readonly<Record<string, string>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** A file of .github/workflows. */
export interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** Text of a file of the project. */
export function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** Paths of the files under a folder of the project whose names match. */
export function filesUnder(folder: string, names: RegExp): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return filesUnder(`${folder}/${name}`, names);
    return names.test(name) ? [`${folder}/${name}`] : [];
  });
}

/** Paths of all YAML files that GitHub reads. */
export const githubFiles: readonly string[] = filesUnder(".github", /\.ya?ml$/);

/** Workflows by their paths. */
export const workflows: ReadonlyMap<string, Workflow> = new Map(
  githubFiles.filter((path) => path.startsWith(".github/workflows/"))
    .map((path) => [path, parse(read(path)) as Workflow] as const),
);

/** Jobs of all workflows. */
export const jobs: readonly { path: string; workflow: Workflow; name: string; job: Job }[] = [...workflows]
  .flatMap(([path, workflow]) =>
    Object.entries(workflow.jobs).map(([name, job]) => ({ path, workflow, name, job }))
  );
