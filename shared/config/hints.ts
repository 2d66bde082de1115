import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { isLoopbackHost } from "../net/ip_address.ts";
import { MAX_DURATION, parseDuration } from "./duration.ts";

// How to correct an invalid value, as it follows a semicolon; undefined if there is no advice.

/** For a whole number. */
export function numberHint(written: unknown): string | undefined {
  if (typeof written !== "string") return Array.isArray(written) ? "write only one number" : undefined;
  if (/^\s*-?\d+\s*$/.test(written)) return "write it without quotes";
  const [, port] = /:(\d{1,5})\/?$/.exec(written) ?? [];
  return port === undefined ? undefined : `write only the number: ${port}`;
}

/** For one port or several. */
export function portsHint(written: unknown): string | undefined {
  if (Array.isArray(written)) {
    const [twice] = written.filter((port, at) => written.indexOf(port) < at);
    return twice === undefined ? undefined : `${twice} is listed twice`;
  }
  if (typeof written !== "string" || !/^\s*\d+(\s*[,\s]\s*\d+)+\s*$/.test(written)) {
    return numberHint(written);
  }
  return `write it as a list: [${written.match(/\d+/g)!.join(", ")}]`;
}

/** Other spellings of true and false, as in YAML 1.1. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "yes", "on", "y", "1"].map((word) => [word, true] as const),
  ...["false", "no", "off", "n", "0"].map((word) => [word, false] as const),
]);

/** For true or false. */
export function booleanHint(written: unknown): string | undefined {
  const meant = BOOLEANS.get(String(written).trim().toLowerCase());
  return meant === undefined ? undefined : `write ${meant}, without quotes`;
}

/** For the URL of a cloud function. */
export function endpointHint(written: unknown): string | undefined {
  if (typeof written !== "string") return undefined;
  const url = URL.parse(written.trim());
  const hasScheme = /^[a-z][a-z\d+.-]*:\/\//i.test(written.trim());
  if (!hasScheme) return URL.canParse(`https://${written}`) ? 'put "https://" before it' : undefined;
  if (url?.protocol === "http:" && !isLoopbackHost(url.hostname)) return 'it must begin with "https://"';
  if (url?.username !== "" || url.password !== "") return "remove the user and password";
  return url.search !== "" || url.hash !== "" ? 'remove everything from the "?" or "#" on' : undefined;
}

/** For a duration. */
export function durationHint(written: unknown): string | undefined {
  const text = String(written).trim().toLowerCase();
  if (/^\d+$/.test(text)) return `add a unit, as in "${text}s"`;
  const [, count, unit = ""] = /^(\d+)\s*([a-z]+)$/.exec(text) ?? [];
  if (unit.startsWith("d")) return `write days as hours: "${Number(count) * 24}h"`;
  const [short] = Object.entries(UNIT_NAMES).find(([, names]) => names.includes(unit)) ?? [];
  if (short !== undefined && parseDuration(String(written)) === undefined) return `write "${count}${short}"`;
  if (/^\d+\.\d+[a-z]+$/.test(text)) return "write a whole number of a smaller unit";
  const ms = parseDuration(text) ?? 0;
  return ms > MAX_DURATION ? `the longest is ${Math.floor(MAX_DURATION / 3_600_000)}h` : undefined;
}

/** Other names of the units. */
const UNIT_NAMES: Readonly<Record<string, readonly string[]>> = {
  ms: ["ms", "msec", "msecs", "millis", "milliseconds"],
  s: ["s", "sec", "secs", "second", "seconds"],
  m: ["m", "min", "mins", "minute", "minutes"],
  h: ["h", "hr", "hrs", "hour", "hours"],
};

/** For a list, as a whole. */
export function listHint(written: unknown): string | undefined {
  if (typeof written === "number" || typeof written === "boolean") return listHint(String(written));
  if (typeof written !== "string" || !/^\S/.test(written)) return undefined;
  const parts = written.split(/[,\s]+/).filter((part) => part !== "").map((part) => JSON.stringify(part));
  return `write it as a list: [${parts.join(", ")}]`;
}

const ADDRESS = /^([a-z][a-z\d+.-]*:\/\/)?([^@/]*@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d*))?([/?#].*)?$/i;

/**
 * For a host: what to remove from the text.
 *
 * @param portKey The key of the port; undefined if there is none.
 */
export function hostHint(written: unknown, portKey: string | undefined): string | undefined {
  if (typeof written !== "string" || isIP(written.trim()) !== 0) return spacesHint(written);
  const [, scheme, user, name = "", port, path] = ADDRESS.exec(written.trim()) ?? [];
  const inBrackets = name.startsWith("[");
  const host = inBrackets ? name.slice(1, -1) : name;
  const extra = [
    ...scheme === undefined ? [] : [`"${scheme}"`],
    ...user === undefined ? [] : ['everything up to the "@"'],
    ...inBrackets ? ["the brackets"] : [],
    ...port === undefined ? [] : [`":${port}"`],
    ...path === undefined ? [] : [`"${path}"`],
  ];
  if (extra.length > 0 && host !== "") {
    const use = portKey === undefined || port === undefined || port === ""
      ? ""
      : `; the port belongs in ${portKey} (${portKey}: ${port})`;
    return `remove ${listed(extra)} to leave ${JSON.stringify(host)}${use}`;
  }
  const ascii = /[^\p{ASCII}]/u.test(written) ? domainToASCII(written) : "";
  return ascii === "" ? spacesHint(written) : `write it in ASCII: ${ascii}`;
}

function spacesHint(written: unknown): string | undefined {
  return typeof written === "string" && /\s/.test(written) ? "remove the spaces" : undefined;
}

function listed(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
