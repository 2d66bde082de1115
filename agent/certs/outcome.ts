/** What a command did. */
export interface Outcome {
  /** Paths of the files that it wrote. */
  readonly files: readonly string[];
  /** What whoever called it should know, a sentence each. */
  readonly notes: readonly string[];
}

/** Says how long a certificate or a list is good, and when that is less than was asked for. */
export function endNote(what: string, end: Date, authorityEnd: Date): string {
  const cutOff = end.getTime() >= authorityEnd.getTime() ? ", when the CA ends" : "";
  return `${what} is good until ${end.toISOString()}${cutOff}`;
}
