import { childEnvironment } from "../../scripts/process/child_environment.ts";
import type { OwnPagesVisit } from "./own_pages_visit.ts";
import type { RefusalVisit } from "./refusal_visit.ts";
import { CANNOT_START, type Page, type Visit } from "./visit.ts";
import { NO_NODE_MODULES } from "../../scripts/process/task_command.ts";

/** Names of a full Chromium on `PATH`. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** A headless Chromium with its own temporary folder. */
export class Chromium implements Disposable {
  private constructor(readonly dir: string, readonly file: string, readonly kind: "shell" | "full") {}

  /**
   * Finds a full Chromium on this machine, which supports proxy scripts; the headless shell of the npm package does
   * not. `undefined` if there is none.
   */
  static async installed(): Promise<Chromium | undefined> {
    for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
      for (const name of NAMES) {
        const found = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
        if (!found?.isFile) continue;
        // A short path: Chromium creates a socket in it, and the path of a socket has at most 107 bytes.
        const dir = await Deno.makeTempDir({ prefix: "sp_" });
        return new Chromium(dir, `${folder}/${name}`, "full");
      }
    }
    return undefined;
  }

  /** Unpacks the headless shell of the npm package. */
  static async unpack(): Promise<Chromium> {
    const dir = await Deno.makeTempDir({ prefix: "sallyport_browser_" });
    const flags = ["--allow-read", "--allow-env", "--allow-sys", `--allow-write=${dir}`];
    const { code, out, errors } = await run(dir, [...flags, "unpack.ts"]);
    if (code !== 0) {
      await Deno.remove(dir, { recursive: true });
      throw new Error(`Cannot unpack Chromium: ${errors}`);
    }
    return new Chromium(dir, out.trim(), "shell");
  }

  /** Starts it once; returns why it cannot run here, or `undefined` if it can. */
  async whyNot(): Promise<string | undefined> {
    const { code, out, errors } = await this.#drive(["probe"], []);
    if (code === 0) return undefined;
    if (code !== CANNOT_START) throw new Error(`Cannot probe Chromium: ${errors}`);
    const reason: string = JSON.parse(out).reason;
    // The loader's message is the most specific; the rest is advice about other systems.
    return /error while loading shared libraries: [^\n]*/.exec(reason)?.[0] ?? reason.split("\n")[0];
  }

  /** Loads a page of the sample origin through a proxy and uses it. */
  async visit(proxyUrl: string, url: string): Promise<Visit> {
    const { code, out, errors } = await this.#drive(["visit"], [proxyUrl, url]);
    if (code !== 0) throw new Error(`Cannot visit ${url}: ${errors}${out}`);
    return JSON.parse(out);
  }

  /** Opens a page that the proxy refuses, in every appearance. */
  async refusals(proxyUrl: string, url: string): Promise<RefusalVisit[]> {
    const { code, out, errors } = await this.#drive(["refusals"], [proxyUrl, url]);
    if (code !== 0) throw new Error(`Cannot load the refusal of ${url}: ${errors}${out}`);
    return JSON.parse(out);
  }

  /** Uses the refusal page of a URL, and opens the agent's own pages without the proxy. */
  async ownPages(proxyUrl: string, url: string, direct: readonly string[]): Promise<OwnPagesVisit> {
    const { code, out, errors } = await this.#drive(["own-pages"], [proxyUrl, url, ...direct]);
    if (code !== 0) throw new Error(`Cannot use the refusal of ${url}: ${errors}${out}`);
    return JSON.parse(out);
  }

  /**
   * Loads pages with a proxy script.
   *
   * @param scriptUrl URL of the script.
   * @param ownNames Names that the browser itself resolves to this machine.
   */
  async pages(scriptUrl: string, ownNames: readonly string[], urls: readonly string[]): Promise<Page[]> {
    const { code, out, errors } = await this.#drive(["pages"], [scriptUrl, ownNames.join(), ...urls]);
    if (code !== 0) throw new Error(`Cannot load ${urls}: ${errors}${out}`);
    return JSON.parse(out);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }

  async #drive(task: string[], args: string[]): Promise<CommandResult> {
    const profile = await Deno.makeTempDir({ dir: this.dir, prefix: "p_" });
    const flags = ["--allow-read", "--allow-env", "--allow-sys", "--allow-net=127.0.0.1"];
    const scoped = [`--allow-write=${profile}`, `--allow-run=${this.file}`];
    const program = ["drive.ts", ...task, this.kind, this.file, profile];
    return await run(profile, [...flags, ...scoped, ...program, ...args]);
  }
}

interface CommandResult {
  code: number;
  out: string;
  errors: string;
}

/** Runs a program of this folder with `tmp` as its folder for temporary files. */
async function run(tmp: string, args: readonly string[]): Promise<CommandResult> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", NO_NODE_MODULES, "--no-prompt", ...args],
    cwd: import.meta.dirname!,
    env: { ...childEnvironment(), TMPDIR: tmp, NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}
