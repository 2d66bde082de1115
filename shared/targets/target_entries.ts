import { type Field, list } from "../config/fields.ts";
import { parseRule } from "./rule.ts";

/** What the entries of a list of targets are, as it follows "a list of" in an error. */
export const TARGETS = 'targets such as "10.0.0.0/8", "127.0.0.1:9080" or "*.corp.example:443"';

/** Tells whether an entry of a list of targets can be read; the configuration's error says more: file, line and key. */
export function isTarget(entry: string): boolean {
  try {
    parseRule(entry, "target");
    return true;
  } catch {
    return false;
  }
}

/** A configuration key that lists targets. */
export function targetEntries(): Field<readonly string[]> {
  return list(TARGETS, isTarget);
}
