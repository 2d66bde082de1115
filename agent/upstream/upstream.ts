import { isLoopback } from "../../shared/net/loopback.ts";
import { isExempt } from "../../shared/net/no_proxy.ts";
import { addressOf, type UpstreamProxy } from "../../shared/tls/upstream_proxy.ts";
import { parseProxyUrl } from "./proxy_url.ts";

/** The proxy that the agent's own connections go through. */
export interface Upstream {
  readonly proxy: UpstreamProxy;
  /** Where it was named, for messages: a key or a variable. */
  readonly source: string;
  /** Whom to reach without it, as `NO_PROXY` has it. */
  readonly exempt: string;
}

/** What is known of a proxy. */
export interface UpstreamInit {
  /** The key `upstream_proxy`: an address, `direct` for none whatever the environment says, or "". */
  readonly configured: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Says that no proxy is to be used, whatever the environment says. */
export const DIRECT = "direct";

/** @returns The proxy, or what is wrong with the variable that names it; undefined where there is none. */
export function findUpstream(
  { configured, environment }: UpstreamInit,
): Upstream | { problem: string } | undefined {
  if (configured === DIRECT) return undefined;
  const exempt = environment["NO_PROXY"] ?? environment["no_proxy"] ?? "";
  const variable = ["HTTPS_PROXY", "https_proxy"].find((name) => environment[name] !== undefined);
  const text = configured !== "" ? configured : variable === undefined ? "" : environment[variable]!;
  if (text === "") return undefined;
  const source = configured !== "" ? "upstream_proxy" : variable!;
  const proxy = parseProxyUrl(text);
  // What it is stays unsaid: a password may be in it.
  if (proxy === undefined) {
    return { problem: `Cannot use ${source}: it is no address such as http://host:port` };
  }
  return { proxy, source, exempt };
}

/**
 * The proxy for a target; undefined where it is reached without one. A proxy of the environment is for everything
 * that everybody does: this machine itself is not reached through it.
 *
 * @param host Name or address, without brackets.
 */
export function proxyFor(
  upstream: Upstream | undefined,
  host: string,
  port: number,
): UpstreamProxy | undefined {
  if (upstream === undefined || isExempt(upstream.exempt, host, port)) return undefined;
  const isHere = host === "localhost" || isLoopback(host);
  return isHere && upstream.source !== "upstream_proxy" ? undefined : upstream.proxy;
}

/** Who connects to one of these connects to this machine. */
const UNSPECIFIED = ["0.0.0.0", "::"];

/**
 * Tells whether a proxy is the agent itself: people export HTTPS_PROXY for their programs, and the agent is one.
 *
 * @param own Address of the agent's proxy port.
 */
export function isOwnAddress({ proxy: { url } }: Upstream, own: { host: string; port: number }): boolean {
  const { host, port } = addressOf(url);
  if (port !== own.port) return false;
  const name = host.replace(/\.$/, "");
  return host === own.host || UNSPECIFIED.includes(host) || isLoopback(host) ||
    name === "localhost" || name.endsWith(".localhost");
}
