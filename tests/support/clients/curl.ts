import { childEnvironment } from "../../../scripts/process/child_environment.ts";

/** The result of running curl. */
export interface CurlResult {
  /** curl's exit code; 0 is success. */
  readonly code: number;
  /** Standard output: the body, unless the arguments say otherwise. */
  readonly body: Uint8Array;
  /** Standard output as text. */
  readonly text: string;
  /** Standard error: messages, and with `-v` the exchange. */
  readonly errors: string;
}

/**
 * Runs curl, without the user's `.curlrc` and the proxy variables of the environment.
 *
 * @param input What it reads from standard input (`-T -`, `--data-binary @-`).
 */
export async function curl(args: readonly string[], input?: Uint8Array): Promise<CurlResult> {
  const process = startCurl(args, input ? "piped" : "null");
  const feeding = input ? feed(process.stdin, input) : undefined;
  const { code, stdout, stderr } = await process.output();
  await feeding;
  const decoder = new TextDecoder();
  return { code, body: stdout, text: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

/** Starts curl for a test that does something while it runs; the caller reads both outputs to their ends. */
export function startCurl(args: readonly string[], stdin: "piped" | "null" = "null"): Deno.ChildProcess {
  const env = Object.fromEntries(
    Object.entries(childEnvironment()).filter(([name]) => !/_proxy$/i.test(name)),
  );
  return new Deno.Command("curl", {
    args: ["-q", "-sS", "--max-time", "60", ...args],
    env,
    clearEnv: true,
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function feed(to: WritableStream<Uint8Array>, input: Uint8Array): Promise<void> {
  const writer = to.getWriter();
  try {
    await writer.write(input);
    await writer.close();
  } catch {
    // curl stopped reading; its exit code and message say why.
  }
}
