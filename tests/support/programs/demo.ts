import { parse } from "yaml";
import { childEnvironment } from "../../../scripts/process/child_environment.ts";
import { eventually } from "../eventually.ts";
import { within } from "../within.ts";

/** Flags for free ports of the demo. */
export const FREE_PORTS: readonly string[] = ["proxy", "server", "console", "health", "origin"]
  .flatMap((name) => [`--${name}-port`, "0"]);

/** The demo, running as its task. */
export interface Demo extends AsyncDisposable {
  /** The last line that it printed when it was ready. */
  readonly lastLine: string;
  /** All of its ports. */
  readonly ports: readonly number[];
  /** What it wrote to standard output. */
  readonly out: string;
  /** What it wrote to standard error. */
  readonly errors: string;
  /**
   * Sends SIGINT to `deno task` only or to every process of its group, `times` times, and waits for the end.
   */
  interrupt(to: "process" | "group", times?: number): Promise<Deno.CommandStatus>;
}

const ROOT = `${import.meta.dirname}/../../..`;

/**
 * Starts `deno task demo` as a process group and waits until it is ready.
 *
 * @throws {Error} With its output, if it ends instead.
 */
export async function startDemo(flags: readonly string[]): Promise<Demo> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["task", "demo", ...flags],
    cwd: ROOT,
    env: { ...childEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const text = { out: "", errors: "" };
  const ready = Promise.withResolvers<void>();
  const reading = Promise.all([
    collect(process.stdout, (more) => {
      text.out += more;
      if (/^curl .*\n$/m.test(text.out)) ready.resolve();
    }),
    collect(process.stderr, (more) => text.errors += more),
  ]);
  const ended = Promise.all([process.status, reading]).then(([status]) => status);
  const failed = ended.then(({ code }) => {
    throw new Error(`The demo ended with ${code}; it wrote:\n${text.out}${text.errors}`);
  });
  await within(120_000, Promise.race([ready.promise, failed]), "the demo is ready");
  failed.catch(() => {}); // from now on tests expect its end
  return {
    lastLine: text.out.trimEnd().split("\n").at(-1) ?? "",
    ports: await portsOf(text.out),
    get out() {
      return text.out;
    },
    get errors() {
      return text.errors;
    },
    async interrupt(to, times = 1) {
      for (let sent = 0; sent < times; sent++) {
        if (sent > 0) await eventually("the demo is stopping", () => text.out.includes("stopping\n"));
        if (to === "process") process.kill("SIGINT");
        else await signalGroup(process.pid, "INT");
      }
      return await within(30_000, ended, "the end of the demo");
    },
    async [Symbol.asyncDispose]() {
      // Not SIGKILL: the demo has to stop its programs, which have their own process groups.
      await signalGroup(process.pid, "TERM");
      await ended;
    },
  };
}

async function collect(from: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  for await (const text of from.pipeThrough(new TextDecoderStream())) take(text);
}

/** The ports of proxy, console, health and origin are in the output, the server's only in its configuration. */
async function portsOf(out: string): Promise<number[]> {
  const { listen_port } = parse(await Deno.readTextFile(`${ROOT}/.demo/server.yaml`));
  return [...new Set([...out.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))), listen_port];
}

/** Signals a process group, like a terminal; Deno cannot. A group that has ended is not an error. */
async function signalGroup(leader: number, signal: string): Promise<void> {
  const args = ["-c", `kill -${signal} -${leader} 2>/dev/null || true`];
  await new Deno.Command("sh", { args }).output();
}
