import { eventually } from "../eventually.ts";
import { LogLines } from "../log_lines.ts";

/** Variables of every AWS client that talks to an emulator. */
export type AwsEnvironment = Readonly<Record<string, string>>;

/** AWS, emulated by moto in a separate process. */
export class Moto implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #read: Promise<void>;
  readonly log = new LogLines();

  private constructor(process: Deno.ChildProcess, readonly port: number) {
    this.#process = process;
    this.#read = this.log.read(process.stderr);
  }

  /** Starts it and returns when it answers. @param bin Folder of its program. */
  static async start(bin: string): Promise<Moto> {
    const port = await freePort();
    const script = new URL("moto_server.py", import.meta.url).pathname;
    const command = new Deno.Command(`${bin}/python`, {
      args: [decodeURIComponent(script), "--host", "127.0.0.1", "--port", String(port)],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    });
    const moto = new Moto(command.spawn(), port);
    try {
      await eventually("moto answers", () => moto.reset(), 60_000);
      return moto;
    } catch (error) {
      await moto[Symbol.asyncDispose]();
      throw new Error(`${error}; it wrote:\n${moto.log.text}`, { cause: error });
    }
  }

  /** Variables for a process that talks to it. */
  get env(): AwsEnvironment {
    return {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${this.port}`,
      AWS_REGION: "eu-central-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    };
  }

  /** Resets its state. */
  async reset(): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.port}/moto-api/reset`, { method: "POST" });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`Cannot reset moto: ${response.status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await Promise.all([this.#process.status, this.#read]);
  }
}

/** Makes the AWS clients of this process talk to an emulator until it is disposed of. */
export function inEnvironment(env: AwsEnvironment): Disposable {
  const before = Object.keys(env).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    },
  };
}

/** A free port, for programs that cannot pick one themselves. */
export async function freePort(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const listener = stack.adopt(Deno.listen({ hostname: "127.0.0.1", port: 0 }), (each) => each.close());
  return listener.addr.port;
}
