import vectors from "../../vectors/forbidden_targets.json" with { type: "json" };

/** Hosts that a server with default rules refuses, each with the range it is in. */
export const FORBIDDEN: Readonly<Record<string, string>> = vectors.forbidden;

/** The same in characters that only a modified agent lets through. */
export const IN_OTHER_SCRIPTS: Readonly<Record<string, string>> = vectors.otherScripts;

/** Texts that are neither host names nor addresses. */
export const MALFORMED: readonly string[] = vectors.malformed;
