import { isLoopback } from "../../shared/net/ip_address.ts";
import { isExempt } from "./no_proxy.ts";
import { parseAuthorities } from "../../shared/pki/x509/pem.ts";
import { type PemSource, pemText, readPemSource } from "../../shared/pki/x509/pem_source.ts";
import { addressOf, parseProxyUrl, type UpstreamProxy } from "./upstream_proxy.ts";

/** The proxy that the agent's own connections go through. */
export interface Upstream {
  readonly proxy: UpstreamProxy;
  /** Where it is configured, for messages: a key or a variable. */
  readonly source: string;
  /** Targets to reach without it, in the syntax of `NO_PROXY`. */
  readonly exempt: string;
}

/** The configuration of an upstream proxy. */
export interface UpstreamInit {
  /** The key `upstream_proxy`: a URL, `direct` for none despite the environment, or "". */
  readonly configured: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Value of `upstream_proxy` for no proxy, despite the environment. */
export const UPSTREAM_DIRECT = "direct";

const VARIABLES = ["HTTPS_PROXY", "https_proxy"];

/** @returns The proxy, or what is wrong with its configuration; undefined when none is configured. */
export function findUpstream(
  { configured, environment }: UpstreamInit,
): Upstream | { problem: string } | undefined {
  if (configured === UPSTREAM_DIRECT) return undefined;
  const exempt = environment["NO_PROXY"] ?? environment["no_proxy"] ?? "";
  const variable = VARIABLES.find((name) => environment[name] !== undefined);
  const text = configured !== "" ? configured : variable === undefined ? "" : environment[variable]!;
  if (text === "") return undefined;
  const source = configured !== "" ? "upstream_proxy" : variable!;
  const proxy = parseProxyUrl(text);
  // The value is not shown: it may contain a password.
  if (proxy === undefined) {
    return { problem: `Cannot use ${source}: it is not a URL such as http://host:port` };
  }
  return { proxy, source, exempt };
}

/** The result of {@linkcode ignoreOwnProxy}. */
export interface UsableEnvironment {
  readonly environment: UpstreamInit["environment"];
  /** Variables that name the agent itself, for a warning. */
  readonly ignored: readonly string[];
}

/**
 * Ignores proxy variables that name the agent itself: `agent env` sets them in a shell, and the agent or its doctor may
 * be started from that shell.
 *
 * @param isOwn Whether a proxy is the agent.
 */
export function ignoreOwnProxy(
  environment: UpstreamInit["environment"],
  isOwn: (upstream: Upstream) => boolean,
): UsableEnvironment {
  const ignored = VARIABLES.filter((name) => {
    const found = findUpstream({ configured: "", environment: { [name]: environment[name] } });
    return found !== undefined && "proxy" in found && isOwn(found);
  });
  const kept = Object.entries(environment).filter(([name]) => !ignored.includes(name));
  return { environment: Object.fromEntries(kept), ignored };
}

/** The warning about ignored variables. */
export function ignoredVariablesWarning(names: readonly string[]): string {
  const [verb, are] = names.length === 1 ? ["names", "is"] : ["name", "are"];
  return `${names.join(" and ")} ${verb} this agent itself and ${are} not used: ` +
    "set upstream_proxy if the agent needs another proxy";
}

/**
 * Returns the proxy for a target; undefined for a direct connection. A proxy of the environment is meant for all programs,
 * and so not for targets on this machine.
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

/** Connections to these addresses lead to this machine. */
const UNSPECIFIED = ["0.0.0.0", "::"];

/**
 * Whether a proxy is the agent itself: HTTPS_PROXY may be exported for all programs, and the agent is one.
 *
 * @param own Address of the agent's proxy port.
 * @param machine Name of this machine, if known.
 */
export function isOwnProxy(
  { proxy: { url } }: Upstream,
  own: { host: string; port: number },
  machine?: string,
): boolean {
  const { host, port } = addressOf(url);
  if (port !== own.port) return false;
  const name = host.replace(/\.$/, "");
  return host === own.host || UNSPECIFIED.includes(host) || isLoopback(host) ||
    name === "localhost" || name.endsWith(".localhost") ||
    name === machine?.trim().toLowerCase();
}

/**
 * Validates the certificate of an `https:` proxy by the CA in a file.
 *
 * @param source The key `upstream_ca_file`; undefined for the public root CAs.
 * @throws {SallyportError} `bad_request` when it cannot be read, or contains a certificate that is not a CA's.
 */
export async function withProxyCa(upstream: Upstream, source: PemSource | undefined): Promise<Upstream> {
  if (source === undefined) return upstream;
  const data = await readPemSource(source, "upstream_ca_file");
  parseAuthorities(data);
  return { ...upstream, proxy: { ...upstream.proxy, ca: pemText(data) } };
}
