import { bundle } from "../../../scripts/build/bundle.ts";
import { type FunctionName, FUNCTIONS } from "../../../scripts/lambdas/package.ts";
import { eventually } from "../eventually.ts";
import { type HttpOrigin, startHttpOrigin } from "../origins/http_origin.ts";
import { LogLines } from "../log_lines.ts";
import { type AwsEnvironment, freePort } from "./moto.ts";

/** Timeout of one invocation in milliseconds, as in the template. */
const TIMEOUT = 30_000;

/**
 * Lambda, emulated by cargo-lambda, with the four functions as processes on the project's own runtime.
 *
 * Two differences from Lambda are corrected: cargo-lambda gives deadlines relative to the call, and has all functions on
 * one port.
 */
export class LambdaHost implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #fronts = new Map<FunctionName, HttpOrigin>();
  /** Log of the functions. */
  readonly logs: Readonly<Record<FunctionName, LogLines>>;
  #api = "";

  private constructor() {
    this.logs = Object.fromEntries(FUNCTIONS.map((name) => [name, new LogLines()])) as Record<
      FunctionName,
      LogLines
    >;
  }

  /**
   * Starts it and returns when it accepts calls.
   *
   * @param bin Folder of cargo-lambda.
   * @param dir A folder for temporary files.
   * @param env Environment of the functions.
   */
  static async start(bin: string, dir: string, env: AwsEnvironment): Promise<LambdaHost> {
    const host = new LambdaHost();
    try {
      await host.#startLambda(bin, dir);
      await host.#startFunctions(dir, env);
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Address of a function, as agents call it. */
  url(name: FunctionName): string {
    return `http://localhost:${this.#fronts.get(name)!.port}/`;
  }

  /** Invokes a function as the schedule of EventBridge does, and returns its result. */
  async tick(name: FunctionName): Promise<unknown> {
    const response = await fetch(`${this.#api}/2015-03-31/functions/${name}/invocations`, {
      method: "POST",
      body: JSON.stringify({ source: "aws.events", "detail-type": "Scheduled Event", detail: {} }),
    });
    return await response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #startLambda(bin: string, dir: string): Promise<void> {
    const port = await freePort();
    await Deno.mkdir(`${dir}/crate/src`, { recursive: true });
    const bins = FUNCTIONS.map((name) => `[[bin]]\nname = "${name}"\npath = "src/main.rs"\n`);
    const crate = '[package]\nname = "functions"\nversion = "0.0.0"\nedition = "2021"\n';
    await Deno.writeTextFile(`${dir}/crate/Cargo.toml`, crate + bins.join(""));
    await Deno.writeTextFile(`${dir}/crate/src/main.rs`, "fn main() {}\n");
    const args = [
      "lambda",
      "watch",
      "--only-lambda-apis",
      "--invoke-address",
      "127.0.0.1",
      "--invoke-port",
      String(port),
    ];
    this.#spawn(
      new Deno.Command(`${bin}/cargo-lambda`, { args, cwd: `${dir}/crate`, ...PIPES }),
      new LogLines(),
    );
    this.#api = `http://127.0.0.1:${port}`;
    await eventually(
      "cargo-lambda listens",
      async () => (await Deno.connect({ hostname: "127.0.0.1", port })).close(),
    );
  }

  async #startFunctions(dir: string, env: AwsEnvironment): Promise<void> {
    const runtimeApi = this.#stack.use(startHttpOrigin((request) => this.#runtimeApi(request)));
    await Deno.mkdir(`${dir}/opt`);
    await Deno.copyFile(
      new URL("../../../lambdas/runtime/bootstrap", import.meta.url),
      `${dir}/opt/bootstrap`,
    );
    await Deno.symlink(Deno.execPath(), `${dir}/opt/deno`);
    await Deno.writeFile(`${dir}/opt/runtime.js`, await bundle("lambdas/runtime/main.ts"));
    for (const name of FUNCTIONS) {
      await Deno.mkdir(`${dir}/${name}`);
      await Deno.writeFile(`${dir}/${name}/handler.js`, await bundle(`lambdas/${name}.ts`));
      const command = new Deno.Command(`${dir}/opt/bootstrap`, {
        clearEnv: true,
        env: {
          PATH: "/usr/bin:/bin",
          AWS_LAMBDA_RUNTIME_API: `${runtimeApi.host}/${name}`,
          LAMBDA_TASK_ROOT: `${dir}/${name}`,
          _HANDLER: "handler.handler",
          ...env,
        },
        ...PIPES,
      });
      this.#spawn(command, this.logs[name]);
      this.#fronts.set(name, this.#stack.use(startHttpOrigin((request) => this.#front(name, request))));
    }
  }

  #spawn(command: Deno.Command, log: LogLines): void {
    const child = command.spawn();
    const read = log.read(child.stderr);
    let over = false;
    const ended = child.status.then(() => void (over = true));
    this.#stack.defer(async () => {
      if (!over) child.kill("SIGKILL");
      await Promise.all([ended, read]);
    });
  }

  /** Between a function and cargo-lambda: makes the deadline absolute. */
  async #runtimeApi(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const response = await fetch(`${this.#api}/.rt${pathname}`, {
      method: request.method,
      headers: request.headers,
      body: request.method === "POST" ? await request.bytes() : null,
    });
    const headers = new Headers(response.headers);
    if (headers.has("lambda-runtime-deadline-ms")) {
      headers.set("lambda-runtime-deadline-ms", String(Date.now() + TIMEOUT));
    }
    return new Response(await response.bytes(), { status: response.status, headers });
  }

  /** Between an agent and cargo-lambda: gives a function its own address. */
  async #front(name: FunctionName, request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.delete("host");
    const response = await fetch(`${this.#api}/lambda-url/${name}${pathname}`, {
      method: request.method,
      headers,
    });
    return new Response(await response.bytes(), { status: response.status, headers: response.headers });
  }
}

const PIPES = { stdin: "null", stdout: "null", stderr: "piped" } as const;
