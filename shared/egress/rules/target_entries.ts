import { isIPv4 } from "node:net";
import { type Field, list } from "../../config/fields.ts";
import { endsInNumber } from "../../net/host_name.ts";
import { parseRule } from "./rule.ts";

/** What the entries of a list of targets are, as it follows "a list of" in an error. */
export const TARGETS = 'targets such as "10.0.0.0/8", "127.0.0.1:9080" or "*.corp.example:443"';

/** What one entry is, as it follows "expected" in an error. */
export const TARGET = `a target such as ${TARGETS.slice("targets such as ".length)}`;

/** Whether an entry of a list of targets is valid. */
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
  return list(TARGETS, isTarget, targetHint, TARGET);
}

/** How to correct an entry. */
export function targetHint(written: unknown): string | undefined {
  if (typeof written !== "string") return typeof written === "number" ? "put it in quotes" : undefined;
  const [, hostPort] = /^[a-z][a-z\d+.-]*:\/\/(?:[^@/]*@)?([^/?#]+)/i.exec(written) ?? [];
  if (hostPort !== undefined) return `a target is a host, not a URL; write ${JSON.stringify(hostPort)}`;
  if (/\s|,/.test(written)) return "write each target as a separate entry";
  const host = written.replace(/:\d*$/, "");
  if (host.replace(/^\*\./, "").includes("*")) return '"*." may stand only at the start';
  const isNumber = endsInNumber(host.toLowerCase()) && !isIPv4(host);
  return isNumber ? "write IPv4 as four decimal numbers" : undefined;
}
