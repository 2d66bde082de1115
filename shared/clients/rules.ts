import { type ClientNames, parseClientPattern } from "./pattern.ts";

/** Targets of an entry, in place of the server's own `targets.allow`. */
export interface EntryTargets {
  /** Targets that may be dialled though they are not public. */
  readonly allow: readonly string[];
  /** Targets that may not be dialled, beside those of the server. */
  readonly deny: readonly string[];
}

/** One entry of `clients.allow`. */
export interface ClientEntry {
  /** Which clients it is about; see `parseClientPattern`. */
  readonly client: string;
  /** Where they may go; the server's `targets` say it when this is missing. */
  readonly targets?: EntryTargets | undefined;
}

/**
 * Finds the entry that decides about a client: the first whose pattern matches.
 *
 * @returns Its index, "everybody" when there are no entries at all, or undefined when none matches.
 */
export type FindEntry = (client: ClientNames) => number | "everybody" | undefined;

/**
 * Makes the rule of `clients.allow`.
 *
 * @throws SallyportError `bad_request` for a pattern that cannot be read.
 */
export function createClientRules(entries: readonly ClientEntry[]): FindEntry {
  const patterns = entries.map(({ client }) => parseClientPattern(client));
  return (client) => {
    if (patterns.length === 0) return "everybody";
    const found = patterns.findIndex((pattern) => pattern.matches(client));
    return found < 0 ? undefined : found;
  };
}
