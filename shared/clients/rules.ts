import { type ClientNames, parseClientPattern } from "./pattern.ts";

/** Targets of an entry. */
export interface EntryTargets {
  /** Non-public targets that may be dialled, instead of the server's own `targets.allow`. */
  readonly allow: readonly string[];
  /** Targets that may not be dialled, in addition to the server's `targets.deny`. */
  readonly deny: readonly string[];
}

/** One entry of `clients.allow`. */
export interface ClientEntry {
  /** Pattern of the clients; see `parseClientPattern`. */
  readonly client: string;
  /** Their targets. @default {the server's `targets`} */
  readonly targets?: EntryTargets | undefined;
}

/**
 * Finds the first entry whose pattern matches a client.
 *
 * @returns Its index, "everyone" when there are no entries at all, or undefined when none matches.
 */
export type FindEntry = (client: ClientNames) => number | "everyone" | undefined;

/**
 * Reads the entries of `clients.allow`.
 *
 * @throws SallyportError `bad_request` for a pattern that cannot be read.
 */
export function createClientRules(entries: readonly ClientEntry[]): FindEntry {
  const patterns = entries.map(({ client }) => parseClientPattern(client));
  return (client) => {
    if (patterns.length === 0) return "everyone";
    const found = patterns.findIndex((pattern) => pattern.matches(client));
    return found < 0 ? undefined : found;
  };
}
