import { explain } from "../../shared/cli/terminal.ts";
import { certificates } from "../support/pki/certificates.ts";
import { residentMiB } from "../support/process_stats.ts";
import { within } from "../support/within.ts";
import type { Figures, LoadOptions } from "./load/loads.ts";
import type { Route } from "./load/connection.ts";
import type { BenchOptions } from "./options.ts";
import type { TestPath } from "../support/paths/test_path.ts";
import { startPath } from "./paths/path.ts";
import { Helper } from "../support/paths/helper.ts";
import type { BenchResult, Measured, PathResult, RowResult, SubjectResult } from "./results.ts";
import type { Row, Selection } from "./rows.ts";
import { rotated } from "./statistics.ts";
import { sallyport } from "./subjects/sallyport.ts";
import { SSH } from "./subjects/ssh.ts";
import { STUNNEL } from "./subjects/stunnel.ts";
import type { Subject, SubjectKind } from "./subjects/subject.ts";

/** How a benchmark is watched and ended. */
export interface BenchControl {
  /** Ends it; everything that it started is removed first. */
  readonly signal: AbortSignal;
  /** Prints a line of progress. */
  print(line: string): void;
}

/** Milliseconds for a tunnel to carry its first request, and for a run beyond its own limit. */
const READY_MS = 30_000;
const GRACE_MS = 60_000;
/** Seconds of the run of each row that does not count. */
const WARM_UP_S = 1;

const FAR_PEERS: Readonly<Record<BenchOptions["peers"][number], SubjectKind>> = {
  ssh: SSH,
  stunnel: STUNNEL,
};

/** Measures what the options name, path by path. */
export async function runBench(options: BenchOptions, control: BenchControl): Promise<BenchResult> {
  const { runs, seconds, mb } = options;
  const dir = await Deno.makeTempDir({ prefix: "sallyport_bench_" });
  const paths: PathResult[] = [];
  const result = {
    started_at: new Date().toISOString(),
    deno: Deno.version.deno,
    processors: navigator.hardwareConcurrency,
    runs,
    seconds,
    mb,
    paths,
  };
  try {
    await certificates(`${dir}/certs`, "init");
    for (const selection of options.rows) {
      paths.push(await new PathBench(selection, options, control, dir).run());
    }
    return result;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A subject that runs, with the way to the origin. */
interface Running {
  readonly name: string;
  readonly subject: Subject;
  readonly route: Route;
}

class PathBench {
  readonly #result: PathResult;

  constructor(
    readonly selection: Selection,
    readonly options: BenchOptions,
    readonly control: BenchControl,
    readonly dir: string,
  ) {
    const { id, title } = selection.path;
    this.#result = { path: id, title, subjects: [], rows: [] };
  }

  async run(): Promise<PathResult> {
    this.control.signal.throwIfAborted();
    this.control.print(`${this.#result.title}`);
    await using stack = new AsyncDisposableStack();
    let path: TestPath;
    try {
      path = stack.use(await startPath(this.selection.path));
    } catch (error) {
      this.control.signal.throwIfAborted();
      this.#result.skipped = explain(error);
      this.control.print(`  left out: ${this.#result.skipped}`);
      return this.#result;
    }
    const origin = stack.use(
      new Helper(import.meta.resolve("./programs/origin.ts"), ["127.0.0.1"], { wrapper: path.far }),
    );
    const target = Number((await origin.ready())["port"]);
    const running: Running[] = [];
    for (const [at, kind] of this.#kinds().entries()) {
      const dir = `${this.dir}/${this.selection.path.id}-${at}`;
      const one = await this.#start(kind, path, target, dir, stack);
      if (one !== undefined) running.push(one);
    }
    await this.#measure(running, path);
    const note = await path.note();
    if (note !== undefined) this.#result.note = note;
    for (const { name, subject } of running) {
      const entries = Object.entries(subject.pids).map(async ([process, pid]) =>
        [process, await residentMiB(pid)] as const
      );
      if (entries.length === 0) continue;
      this.#result.subjects.find((each) => each.name === name)!.memory_mib = Object.fromEntries(
        await Promise.all(entries),
      );
    }
    return this.#result;
  }

  #kinds(): SubjectKind[] {
    const { against, peers } = this.options;
    return [
      sallyport("Sallyport"),
      ...against === undefined ? [] : [sallyport("against", against)],
      ...peers.map((peer) => FAR_PEERS[peer]),
    ];
  }

  /** Starts a subject; undefined, with a note in the result, where this machine has no such program. */
  async #start(
    kind: SubjectKind,
    path: TestPath,
    originPort: number,
    dir: string,
    stack: AsyncDisposableStack,
  ): Promise<Running | undefined> {
    this.control.signal.throwIfAborted();
    const { name } = kind;
    const result: SubjectResult = { name };
    this.#result.subjects.push(result);
    const leaveOut = (reason: string) => {
      result.skipped = reason;
      this.control.print(`  ${name} left out: ${reason}`);
    };
    const reason = await kind.whyNot();
    if (reason !== undefined) return void leaveOut(reason);
    await Deno.mkdir(dir);
    await using started = new AsyncDisposableStack();
    try {
      const subject = started.use(
        await kind.start({ path, originPort, dir, certificates: `${this.dir}/certs` }),
      );
      const route = { ...subject.route, target: originPort };
      await this.#ready(subject, route, path);
      stack.use(started.move());
      return { name, subject, route };
    } catch (cause) {
      this.control.signal.throwIfAborted();
      if (kind.isPeer) return void leaveOut(explain(cause).replaceAll("\n", " "));
      throw new Error(`Cannot measure ${name} on this path`, { cause });
    }
  }

  /** Waits until a request passes. */
  async #ready({ programs }: Subject, route: Route, path: TestPath): Promise<void> {
    const load = { kind: "tunnels", streams: 1, seconds: 0.001, bytes: 0 } as const;
    const deadline = performance.now() + READY_MS;
    while (true) {
      try {
        return void await measure(route, load, path, this.control.signal);
      } catch (error) {
        this.control.signal.throwIfAborted();
        const ended = programs.find(({ isOver }) => isOver);
        if (ended !== undefined) {
          throw new Error(`${ended.name} ended: ${ended.log.text.trim()}`, { cause: error });
        }
        if (performance.now() < deadline) continue;
        throw new Error(`no request passed: ${explain(error)}`, { cause: error });
      }
    }
  }

  async #measure(running: readonly Running[], path: TestPath): Promise<void> {
    const results = this.selection.rows.map(({ id, title, metrics }): RowResult => ({
      row: id,
      title,
      metrics,
      measured: Object.fromEntries(running.map(({ name }) => [name, { runs: [], errors: [] }])),
    }));
    this.#result.rows.push(...results);
    for (let round = 0; round <= this.options.runs; round++) {
      this.control.print(round === 0 ? "  warm-up" : `  run ${round} of ${this.options.runs}`);
      for (const [at, row] of this.selection.rows.entries()) {
        for (const { name, route } of rotated(running, round)) {
          await this.#run(row, round === 0, route, path, results[at]!.measured[name]!);
        }
      }
    }
  }

  async #run(row: Row, isWarmUp: boolean, route: Route, path: TestPath, measured: Measured): Promise<void> {
    const { seconds, mb } = this.options;
    const load: LoadOptions = {
      kind: row.kind,
      streams: row.streams,
      seconds: isWarmUp ? Math.min(seconds, WARM_UP_S) : seconds,
      bytes: mb * 1_000_000,
    };
    try {
      const figures = await measure(route, load, path, this.control.signal);
      if (!isWarmUp) measured.runs.push(figures);
    } catch (error) {
      this.control.signal.throwIfAborted();
      measured.errors.push(explain(error));
    }
  }
}

/** Runs a load in a process of its own, at the near end of the path. */
async function measure(
  route: Route,
  load: LoadOptions,
  path: TestPath,
  signal: AbortSignal,
): Promise<Figures> {
  signal.throwIfAborted();
  await using helper = new Helper(
    import.meta.resolve("./programs/load.ts"),
    [route, load].map((each) => JSON.stringify(each)),
    {
      wrapper: path.near,
    },
  );
  const kill = () => helper.program.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  try {
    await within(load.seconds * 1000 + GRACE_MS, helper.program.ended, "the end of a run");
  } finally {
    signal.removeEventListener("abort", kill);
  }
  signal.throwIfAborted();
  const { out, log } = helper.program;
  if (!out.text.startsWith("{")) throw new Error(`the load ended without a result: ${log.text.trim()}`);
  const { figures, error } = JSON.parse(out.text) as { figures?: Figures; error?: string };
  if (figures === undefined) throw new Error(error);
  return figures;
}
