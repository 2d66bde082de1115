import { printable } from "../display_text.ts";
import { SallyportError } from "../errors.ts";

/** Says what went wrong as the command line shows it: the message and what lies beneath it, without a stack. */
export function explain(reason: unknown): string {
  const parts: string[] = [];
  let error = reason;
  for (let depth = 0; error instanceof Error && depth < 5; depth++, error = error.cause) {
    const text = error.message || error.name;
    if (!parts.some((part) => part.includes(text))) parts.push(text);
    if (error instanceof SallyportError) break; // its message is written for people and complete
  }
  return parts.length > 0 ? parts.join(": ") : String(reason);
}

/**
 * What a program prints for an error, line by line, each with the program's name before it. Names in certificates and keys of
 * files come from others, so what could steer a terminal or hide is shown as its code point.
 */
export function complaint(program: string, reason: unknown): string[] {
  return explain(reason).split("\n").map((line) => `${program}: ${printable(line)}\n`);
}
