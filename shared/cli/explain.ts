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
