import type { Socket } from "node:net";

/** An HTTP proxy that has to be gone through to get out. */
export interface UpstreamProxy {
  /** `http:` or `https:`, without user and password. */
  readonly url: URL;
  /** The field `Proxy-Authorization`; undefined where the proxy asks nobody. */
  readonly authorization: string | undefined;
  /**
   * Certificates of the CA, PEM, by which the certificate of an `https:` proxy is judged, in place of the public
   * roots. @default {the public roots}
   */
  readonly ca?: string | undefined;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** Where whoever an `http:` or `https:` URL names listens; the host without brackets. */
export function addressOf({ hostname, port, protocol }: URL): { host: string; port: number } {
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || DEFAULT_PORTS[protocol]! };
}

/**
 * Options of a request of `node:http` that is to travel on a connection that is there already. With `agent: false`
 * the runtime would not look at `createConnection` and make one of its own.
 */
export function onlyBy(socket: Socket): { createConnection: () => Socket } {
  return { createConnection: () => socket };
}
