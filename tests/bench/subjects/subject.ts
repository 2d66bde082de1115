import type { Route } from "../load/connection.ts";
import type { TestPath } from "../../support/paths/test_path.ts";
import type { Program } from "../../support/programs/programs.ts";

/** A running tunnel that is measured. */
export interface Subject extends AsyncDisposable {
  /** Its near end, without the target. */
  readonly route: Omit<Route, "target">;
  /** Its programs; none of them ends before the subject does. */
  readonly programs: readonly Program[];
  /** The processes whose memory is reported, by name. */
  readonly pids: Readonly<Record<string, number>>;
}

/** Where a subject runs. */
export interface Place {
  readonly path: TestPath;
  /** The origin's port of 127.0.0.1 at the far end. */
  readonly originPort: number;
  /** A folder for its files, and for it alone. */
  readonly dir: string;
  /** A folder with the files that `certs init` makes. */
  readonly certificates: string;
}

/** A tunnel that can be measured. */
export interface SubjectKind {
  /** As the tables have it. */
  readonly name: string;
  /** Whether the others are measured without it where it cannot start. */
  readonly isPeer: boolean;

  /** Why this machine cannot run it; undefined if it can. */
  whyNot(): Promise<string | undefined>;

  /** Starts both ends; the load finds out when traffic passes. */
  start(place: Place): Promise<Subject>;
}

/** A port of 127.0.0.1 that is free now, for programs that cannot choose one. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The path of an installed program; undefined where there is none. */
export async function programPath(...names: readonly string[]): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":").filter((each) => each !== "")) {
    for (const name of names) {
      const isFile = await Deno.stat(`${folder}/${name}`).then((each) => each.isFile, () => false);
      if (isFile) return `${folder}/${name}`;
    }
  }
  return undefined;
}
