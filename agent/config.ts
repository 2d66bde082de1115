import {
  boolean,
  dialPort,
  duration,
  endpoint,
  host,
  listenPort,
  logLevel,
  optionalPem,
  pem,
  secretText,
  type UserAndPassword,
  userAndPassword,
} from "../shared/config/fields.ts";
import { loadConfig, type LoadOptions } from "../shared/config/load.ts";
import { SallyportError } from "../shared/errors.ts";
import type { LogLevel } from "../shared/log_level.ts";
import { targetEntries } from "../shared/targets/target_entries.ts";
import type { IdentitySource } from "../shared/tls/identity_source.ts";
import type { Endpoints } from "./cloud/endpoints.ts";
import { parseProxyUrl } from "./upstream/proxy_url.ts";
import { DIRECT, findUpstream, isOwnAddress, type Upstream } from "./upstream/upstream.ts";
import { withProxyCa } from "./upstream/with_proxy_ca.ts";

/** What the agent is told by its file and environment; the README's table explains the keys. */
export interface AgentConfig {
  /** Address or name of the server; "" where the cloud tells. */
  readonly serverIp: string;
  /** @default 8443 */
  readonly serverPort: number;
  /** Name that the server's certificate must carry. @default "sallyport-server" */
  readonly serverName: string;
  /** Name sent in the clear while connecting. @default {serverName} */
  readonly sni: string;
  /** @default "127.0.0.1" */
  readonly localProxyHost: string;
  /** 0 picks a free one. @default 8080 */
  readonly localProxyPort: number;
  /** Whom the proxy serves; everybody who reaches it where it is undefined. @default undefined */
  readonly localProxyAuth: UserAndPassword | undefined;
  /** Always on loopback; 0 picks a free one. @default 8081 */
  readonly consolePort: number;
  /** @default {client.crt, client.key and ca.crt in ./certs} */
  readonly identity: IdentitySource;
  /** @default "info" */
  readonly logLevel: LogLevel;
  /** A server that sleeps until it is needed; undefined where `server_ip` says where it is. @default undefined */
  readonly cloud: CloudConfig | undefined;
  /** The proxy that the agent's own connections go through. @default {that of HTTPS_PROXY, or none} */
  readonly upstream: Upstream | undefined;
  /** Targets that are reached without the tunnel. @default {none} */
  readonly bypass: readonly string[];
  /** Targets that are not reached at all. @default {none} */
  readonly block: readonly string[];
}

/** How the agent finds a server that sleeps until it is needed. */
export interface CloudConfig {
  readonly endpoints: Endpoints;
  /** Whether the last agent that stops, stops the server too. @default true */
  readonly killOnExit: boolean;
  /** Milliseconds that requests wait for a server that has to be woken. @default 180000 */
  readonly wakeTimeout: number;
}

const AGENT_KEYS = {
  server_ip: host(""),
  server_port: dialPort(8443),
  server_name: host("sallyport-server"),
  sni: host(""),
  local_proxy_host: host("127.0.0.1"),
  local_proxy_port: listenPort(8080),
  local_proxy_auth: userAndPassword(),
  console_port: listenPort(8081),
  cert_file: pem("./certs/client.crt", "CERT_PEM"),
  key_file: pem("./certs/client.key", "KEY_PEM"),
  ca_cert_file: pem("./certs/ca.crt", "CA_CERT_PEM"),
  crl_file: optionalPem("CRL_PEM"),
  log_level: logLevel("info"),
  wake_endpoint: endpoint(),
  query_endpoint: endpoint(),
  kill_endpoint: endpoint(),
  kill_on_exit: boolean(true),
  wake_timeout: duration("180s", 1_000),
  upstream_proxy: secretText(
    (text) => text === "" || text === DIRECT || parseProxyUrl(text) !== undefined,
    'an address such as "http://host:port" or "http://user:password@host:port", "direct", or nothing',
  ),
  upstream_ca_file: { ...optionalPem("UPSTREAM_CA_PEM"), expected: "the path of a PEM file" },
  bypass: targetEntries(),
  block: targetEntries(),
};

/**
 * Reads the agent's configuration.
 *
 * @throws {SallyportError} `bad_request`, one line for each problem.
 */
export async function loadAgentConfig(options: LoadOptions): Promise<AgentConfig> {
  const read = await loadConfig(AGENT_KEYS, options);
  const wake = read.wake_endpoint;
  if (read.server_ip === "" && wake === undefined) {
    const where = options.file ?? "no --config was given, and SALLYPORT_SERVER_IP is not set";
    const problem = `${where}: Cannot use server_ip: ` +
      "expected an IP address or a host name, or a wake_endpoint beside it, current value is empty";
    throw new SallyportError("bad_request", problem);
  }
  const own = { host: read.local_proxy_host, port: read.local_proxy_port };
  const upstream = upstreamOf(read.upstream_proxy, own, options);
  return {
    serverIp: read.server_ip,
    serverPort: read.server_port,
    serverName: read.server_name,
    sni: read.sni || read.server_name,
    localProxyHost: read.local_proxy_host,
    localProxyPort: read.local_proxy_port,
    localProxyAuth: read.local_proxy_auth,
    consolePort: read.console_port,
    identity: { cert: read.cert_file, key: read.key_file, ca: read.ca_cert_file, crl: read.crl_file },
    logLevel: read.log_level,
    cloud: read.server_ip !== "" || wake === undefined ? undefined : {
      endpoints: { wake, query: read.query_endpoint, kill: read.kill_endpoint },
      killOnExit: read.kill_on_exit,
      wakeTimeout: read.wake_timeout,
    },
    upstream: upstream && await withProxyCa(upstream, read.upstream_ca_file),
    bypass: read.bypass,
    block: read.block,
  };
}

/** What other commands have to know of an agent that runs on this machine with the same configuration. */
export interface LocalPorts {
  readonly proxy: {
    readonly host: string;
    readonly port: number;
    readonly credentials: UserAndPassword | undefined;
  };
  readonly consolePort: number;
}

/**
 * Reads of the agent's configuration only where the agent is on this machine.
 *
 * @throws {SallyportError} `bad_request`, one line for each problem of the whole configuration.
 */
export async function loadLocalPorts(options: LoadOptions): Promise<LocalPorts> {
  const read = await loadConfig(AGENT_KEYS, options);
  const { local_proxy_host: host, local_proxy_port: port, local_proxy_auth: credentials } = read;
  return { proxy: { host, port, credentials }, consolePort: read.console_port };
}

function upstreamOf(
  configured: string,
  own: { host: string; port: number },
  { file, environment }: LoadOptions,
): Upstream | undefined {
  const found = findUpstream({ configured, environment });
  const at = (source: string) =>
    source === "upstream_proxy" ? file ?? "SALLYPORT_UPSTREAM_PROXY" : "environment";
  if (found === undefined) return undefined;
  if ("problem" in found) throw new SallyportError("bad_request", `environment: ${found.problem}`);
  if (!isOwnAddress(found, own)) return found;
  const problem =
    `Cannot use ${found.source}: it names this agent itself; unset it where the agent is started, or ` +
    `set upstream_proxy to "${DIRECT}"`;
  throw new SallyportError("bad_request", `${at(found.source)}: ${problem}`);
}
