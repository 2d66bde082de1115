import { SallyportError } from "../errors.ts";
import { printable } from "../text/sanitize.ts";

/** Where a program writes; each text ends with a line feed. */
export interface Terminal {
  /** Results. */
  out(text: string): void;
  /** Errors. */
  err(text: string): void;
}

const encoder = new TextEncoder();

/** The process's standard output and standard error. */
export const terminal: Terminal = {
  out: (text) => write(Deno.stdout, text),
  err: (text) => write(Deno.stderr, text),
};

function write(to: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.byteLength > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch (error) {
    // The reader, such as `head`, has what it wanted.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** An error as the command line shows it: its message and those of its causes, without a stack. */
export function explain(reason: unknown): string {
  const parts: string[] = [];
  let error = reason;
  for (let depth = 0; error instanceof Error && depth < 5; depth++, error = error.cause) {
    const text = error.message || error.name;
    if (!parts.some((part) => part.includes(text))) parts.push(text);
    if (error instanceof SallyportError) break; // its message is complete
  }
  return parts.length > 0 ? parts.join(": ") : String(reason);
}

/**
 * The lines that a program prints for an error, each after the program's name. Texts from others, such as names in
 * certificates, may be in it, so control and hidden characters are shown as code points.
 */
export function errorLines(program: string, reason: unknown): string[] {
  return explain(reason).split("\n").map((line) => `${program}: ${printable(line)}\n`);
}

/** The error of a command that asks a running program. @param key The key of the port. */
export function cannotAsk(program: string, address: string, reason: string, key: string): string {
  return `Cannot ask the ${program} at ${address}: ${reason}; is it running, with this ${key}?`;
}

/** Exit codes. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const;
