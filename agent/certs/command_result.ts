/** The result of a `certs` command. */
export interface CommandResult {
  /** Paths of the files written. */
  readonly files: readonly string[];
  /** Messages for the user, one line each. */
  readonly notes: readonly string[];
}

/** Says until when a certificate or list is valid, and if the CA cuts that short. */
export function endNote(what: string, end: Date, authorityEnd: Date): string {
  const cutOff = end.getTime() >= authorityEnd.getTime() ? ", when the CA expires" : "";
  return `${what} is valid until ${end.toISOString()}${cutOff}`;
}
