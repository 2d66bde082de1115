import type { Socket } from "node:net";

/** An HTTP proxy for outgoing connections. */
export interface UpstreamProxy {
  /** `http:` or `https:`, without user and password. */
  readonly url: URL;
  /** The field `Proxy-Authorization`; undefined when the proxy needs no credentials. */
  readonly authorization: string | undefined;
  /**
   * Certificates of the CA, PEM, that validates the certificate of an `https:` proxy.
   * @default {the public root CAs}
   */
  readonly ca?: string | undefined;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** The host, without brackets, and the port of an `http:` or `https:` URL. */
export function addressOf({ hostname, port, protocol }: URL): { host: string; port: number } {
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || DEFAULT_PORTS[protocol]! };
}

/**
 * Options for a request of `node:http` over an existing connection. With `agent: false` the runtime would ignore
 * `createConnection` and make its own.
 */
export function overConnection(socket: Socket): { createConnection: () => Socket } {
  return { createConnection: () => socket };
}

/**
 * Parses a proxy URL: `http://host:port` or `https://host:port`, with `user:password@` (percent-encoded) when the proxy
 * needs credentials. The default scheme is `http:`, as in curl.
 *
 * @returns undefined for anything else.
 */
export function parseProxyUrl(text: string): UpstreamProxy | undefined {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") return undefined;
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") return undefined;
  const authorization = authorizationOf(url);
  if (authorization === null) return undefined;
  url.username = "";
  url.password = "";
  return { url, authorization };
}

/** RFC 7617, in UTF-8; null when user and password are malformed. */
function authorizationOf({ username, password }: URL): string | undefined | null {
  if (username === "" && password === "") return undefined;
  try {
    const [user, secret] = [decodeURIComponent(username), decodeURIComponent(password)];
    if (user.includes(":")) return null;
    return `Basic ${new TextEncoder().encode(`${user}:${secret}`).toBase64()}`;
  } catch {
    return null; // malformed percent-encoding
  }
}
