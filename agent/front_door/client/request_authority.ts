import { isIPv6 } from "node:net";
import { quote } from "../../../shared/text/sanitize.ts";
import { SallyportError } from "../../../shared/errors.ts";
import { isHostName } from "../../../shared/net/host_name.ts";

/** Host and port that a client asks for; an IPv6 address has no brackets. */
export interface Authority {
  host: string;
  port: number;
}

const BRACKETED = /^\[([^\]]*)\](?::(.*))?$/;

/**
 * Parses `host:port` as in `CONNECT` (RFC 9112 section 3.2.3) or in a URI (RFC 3986 section 3.2).
 * @param text Name, IPv4 address or `[IPv6]`, with or without a port.
 * @param defaultPort Used when there is no port; without it a port is required.
 * @throws SallyportError `bad_request`
 */
export function parseAuthority(text: string, defaultPort?: number): Authority {
  if (text.includes("@")) {
    // The part before it may contain a password.
    throw refuse(text.replace(/^[^]*@/, "…@"), "user information is not allowed");
  }
  const { host, port } = split(text);
  return { host, port: parsePort(text, port, defaultPort) };
}

function split(text: string): { host: string; port: string | undefined } {
  if (text.startsWith("[")) {
    const [, host, port] = BRACKETED.exec(text) ?? [];
    if (host === undefined) throw refuse(text, "the bracket is not closed");
    if (!isIPv6(host) || host.includes("%")) throw refuse(text, "no IPv6 address between the brackets");
    return { host, port };
  }
  const colon = text.indexOf(":");
  const host = colon < 0 ? text : text.slice(0, colon);
  const port = colon < 0 ? undefined : text.slice(colon + 1);
  if (port?.includes(":")) throw refuse(text, "an IPv6 address needs brackets");
  if (!isHostName(host)) {
    throw refuse(text, host === "" ? "the host is missing" : "the host is not a valid name");
  }
  return { host, port };
}

function parsePort(text: string, port: string | undefined, defaultPort: number | undefined): number {
  // RFC 3986 section 3.2.3: an empty port means the default.
  if (port === undefined || port === "") {
    if (defaultPort === undefined) throw refuse(text, "the port is missing");
    return defaultPort;
  }
  const value = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0;
  if (value < 1 || value > 65_535) throw refuse(text, "the port is not between 1 and 65535");
  return value;
}

function refuse(text: string, reason: string): SallyportError {
  return new SallyportError(
    "bad_request",
    `Cannot parse target ${quote(text, 300)}: ${reason}`,
  );
}
