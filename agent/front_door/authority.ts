import { isIPv6 } from "node:net";
import { escapeForDisplay } from "../../shared/display_json.ts";
import { SallyportError } from "../../shared/errors.ts";

/** A target as a client names it; an IPv6 address has no brackets. */
export interface Authority {
  host: string;
  port: number;
}

/** The longest name that DNS knows, with its final dot (RFC 1035 section 2.3.4). */
const MAX_NAME = 254;
const NAME = /^[A-Za-z0-9._-]+$/;
const BRACKETED = /^\[([^\]]*)\](?::(.*))?$/;

/**
 * Reads `host:port` as in `CONNECT` (RFC 9112 section 3.2.3) or in a URI (RFC 3986 section 3.2).
 * @param text Name, IPv4 address or `[IPv6]`, with or without a port.
 * @param defaultPort Used where there is no port; without it a port is required.
 * @throws SallyportError `bad_request`
 */
export function parseAuthority(text: string, defaultPort?: number): Authority {
  if (text.includes("@")) {
    // A password may stand before it.
    throw refuse(text.replace(/^[^]*@/, "…@"), "a user name is not allowed before the host");
  }
  const { host, port } = split(text);
  return { host, port: parsePort(text, port, defaultPort) };
}

/** Tells whether `text` can be a host name or an IPv4 address; whether it exists, the server finds out. */
export function isHostName(text: string): boolean {
  return text.length <= MAX_NAME && NAME.test(text);
}

function split(text: string): { host: string; port: string | undefined } {
  if (text.startsWith("[")) {
    const [, host, port] = BRACKETED.exec(text) ?? [];
    if (host === undefined) throw refuse(text, "the brackets are not closed");
    if (!isIPv6(host) || host.includes("%")) throw refuse(text, "the brackets hold no IPv6 address");
    return { host, port };
  }
  const colon = text.indexOf(":");
  const host = colon < 0 ? text : text.slice(0, colon);
  const port = colon < 0 ? undefined : text.slice(colon + 1);
  if (port?.includes(":")) throw refuse(text, "an IPv6 address needs brackets");
  if (!isHostName(host)) throw refuse(text, host === "" ? "there is no host" : "the host is not a name");
  return { host, port };
}

function parsePort(text: string, port: string | undefined, defaultPort: number | undefined): number {
  // RFC 3986 section 3.2.3: an empty port means the default.
  if (port === undefined || port === "") {
    if (defaultPort === undefined) throw refuse(text, "there is no port");
    return defaultPort;
  }
  const value = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0;
  if (value < 1 || value > 65_535) throw refuse(text, "the port is not in 1..65535");
  return value;
}

function refuse(text: string, problem: string): SallyportError {
  return new SallyportError(
    "bad_request",
    `Cannot read target ${escapeForDisplay(JSON.stringify(text.slice(0, 300)))}: ${problem}`,
  );
}
