import type { Terminal } from "./run_program.ts";

const encoder = new TextEncoder();

/** The process's own standard output and standard error. */
export const terminal: Terminal = {
  out: (text) => write(Deno.stdout, text),
  err: (text) => write(Deno.stderr, text),
};

function write(to: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.byteLength > 0) bytes = bytes.subarray(to.writeSync(bytes));
}
