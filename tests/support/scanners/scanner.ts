import { childEnvironment } from "../../../scripts/process/child_environment.ts";

/** Milliseconds for one scan; the longest takes about 20 s on two idle cores. */
const SCAN_TIMEOUT = 240_000;

/** Runs a scanner to its end, with `dir` for its temporary files; returns its output, for messages. */
export async function runScanner(program: string, args: readonly string[], dir: string): Promise<string> {
  const proxyless = Object.entries(childEnvironment()).filter(([name]) => !/_proxy$/i.test(name));
  const signal = AbortSignal.timeout(SCAN_TIMEOUT);
  const { stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    // testssl reads the width of the terminal.
    env: { ...Object.fromEntries(proxyless), TMPDIR: dir, TERM: "dumb" },
    clearEnv: true,
    cwd: dir,
    stdin: "null",
    signal,
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  if (signal.aborted) {
    throw new Error(`${program} did not finish within ${SCAN_TIMEOUT} ms; it wrote:\n${text}`);
  }
  return text;
}
