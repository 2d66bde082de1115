import { resolve } from "node:path";
import { agentCommand } from "../../shared/cli/command_line.ts";
import {
  boolean,
  described,
  dialPort,
  duration,
  endpoint,
  host,
  integer,
  listenPort,
  logLevel,
  optionalPem,
  pem,
  secretText,
  type UserAndPassword,
  userAndPassword,
} from "../../shared/config/fields.ts";
import { loadConfig, type LoadOptions, readConfig } from "../../shared/config/load.ts";
import { requireDistinctPorts } from "../../shared/config/distinct_ports.ts";
import type { KeysOf } from "../../shared/config/program_keys.ts";
import { readConfigText } from "../../shared/config/config_file.ts";
import { targetEntries } from "../../shared/egress/rules/target_entries.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { LogLevel } from "../../shared/log_level.ts";
import { MAX_RESUME_TIMEOUT } from "../../shared/mux/options.ts";
import { MAX_LINKS } from "../../shared/protocol/messages.ts";
import type { IdentitySource } from "../../shared/pki/identity/identity.ts";
import { parseProxyUrl } from "../upstream/upstream_proxy.ts";
import {
  findUpstream,
  ignoredVariablesWarning,
  ignoreOwnProxy,
  isOwnProxy,
  type Upstream,
  UPSTREAM_DIRECT,
  withProxyCa,
} from "../upstream/upstream.ts";

/** The agent's configuration, from its file and the environment. */
export interface AgentConfig {
  /** Absolute path of the configuration file. @default {none: defaults and environment only} */
  readonly file?: string;
  /** Address or name of the server; "" if the cloud provides it. */
  readonly serverIp: string;
  /** @default 8443 */
  readonly serverPort: number;
  /** Name that the server's certificate must have. @default "sallyport-server" */
  readonly serverName: string;
  /** Server name sent in the TLS handshake, readable on the path. @default {serverName} */
  readonly sni: string;
  /** @default "127.0.0.1" */
  readonly localProxyHost: string;
  /** 0 picks a free port. @default 8080 */
  readonly localProxyPort: number;
  /** Credentials that clients need; undefined for none. @default undefined */
  readonly localProxyAuth: UserAndPassword | undefined;
  /** Whether tunnels to hosts that were reached lately are answered before the server answers. @default true */
  readonly eager: boolean;
  /** Always on loopback; 0 picks a free port. @default 8081 */
  readonly consolePort: number;
  /** @default {client.crt, client.key and ca.crt in ./certs} */
  readonly identity: IdentitySource;
  /** @default "info" */
  readonly logLevel: LogLevel;
  /** Whether every frame is logged, without its content. @default false */
  readonly traceFrames: boolean;
  /** A server that is asleep while unused; undefined if `server_ip` is set. @default undefined */
  readonly cloud: CloudConfig | undefined;
  /** The most connections to the server. @default 8 */
  readonly connections: number;
  /** Milliseconds that open streams wait for a new connection to the server. @default 60000 */
  readonly resumeTimeout: number;
  /** The proxy for the agent's own connections. @default {that of HTTPS_PROXY, or none} */
  readonly upstream: Upstream | undefined;
  /** Warnings about a usable configuration. @default {none} */
  readonly warnings: readonly string[];
  /** Targets that are reached without the tunnel. @default {none} */
  readonly bypass: readonly string[];
  /** Targets that are not reached at all. @default {none} */
  readonly block: readonly string[];
}

/** How the agent finds a server that is asleep while unused. */
export interface CloudConfig {
  readonly endpoints: Endpoints;
  /** Whether the last agent to exit stops the server. @default true */
  readonly killOnExit: boolean;
  /** Milliseconds that requests wait for a server to wake. @default 180000 */
  readonly wakeTimeout: number;
}

/** The keys: their valid values, and what they mean. */
export const AGENT_KEYS = {
  server_ip: described(
    host("", "server_port"),
    "address or name of the server; required without `wake_endpoint`, takes precedence over it",
  ),
  server_port: described(dialPort(8443), "port of the server"),
  server_name: described(
    host("sallyport-server"),
    "alternative name that the server's certificate must have",
  ),
  sni: described(
    host(""),
    "server name in the TLS handshake, sent in clear; default is `server_name`, an address is not sent",
  ),
  local_proxy_host: described(
    host("127.0.0.1", "local_proxy_port"),
    "address of the proxy; beyond loopback set `local_proxy_auth` too",
  ),
  local_proxy_port: described(listenPort(8080), "port of the proxy; 0 picks a free one"),
  local_proxy_auth: described(
    userAndPassword(),
    "credentials that clients need (HTTP 407, SOCKS5 RFC 1929)",
  ),
  eager: described(
    boolean(true),
    "whether a tunnel may be [answered at once](clients.md#tunnels-answered-at-once)",
  ),
  console_port: described(
    listenPort(8081),
    "port of the [console](operations.md#agent-status), always on 127.0.0.1; 0 picks a free one",
  ),
  cert_file: described(
    pem("./certs/client.crt", "CERT_PEM"),
    "the agent's certificate, and its chain if it has one (at most 4 in all), PEM",
  ),
  key_file: described(pem("./certs/client.key", "KEY_PEM"), "its private key, PEM without a passphrase"),
  ca_cert_file: described(
    pem("./certs/ca.crt", "CA_CERT_PEM"),
    "the private CA, PEM; no other CA is trusted",
  ),
  crl_file: described(
    optionalPem("CRL_PEM"),
    "[revocation lists](certificates.md#revocation-lists); a revoked server is refused and disconnected",
  ),
  log_level: described(logLevel("info"), "log level"),
  trace_frames: described(
    boolean(false),
    "whether every frame of the tunnel is [logged](troubleshooting.md#follow-a-session), without its content",
  ),
  wake_endpoint: described(
    endpoint(),
    "URL of Wake, for a server that [is asleep while unused](deployment.md#aws)",
  ),
  query_endpoint: described(endpoint(), "URL of Query; without it the agent polls Wake"),
  kill_endpoint: described(endpoint(), "URL of Kill; without it the agent stops no server"),
  kill_on_exit: described(boolean(true), "whether the last agent to exit stops the server"),
  wake_timeout: described(
    duration("180s", 1_000),
    "how long requests wait for a server to wake",
  ),
  connections: described(
    integer(MAX_LINKS, 1, MAX_LINKS),
    "most [connections](architecture.md#sessions-and-links) to the server; further ones are opened only where they help",
  ),
  resume_timeout: described(
    duration("60s", 0, MAX_RESUME_TIMEOUT),
    "how long open streams [wait for a new connection](architecture.md#sessions-and-links) to the server; 0: not at all",
  ),
  upstream_proxy: described(
    secretText(
      (text) => text === "" || text === UPSTREAM_DIRECT || parseProxyUrl(text) !== undefined,
      'a URL such as "http://host:port" or "http://user:password@host:port", "direct", or nothing',
    ),
    '[corporate proxy](corporate-proxy.md), default is `HTTPS_PROXY`; `"direct"` for none',
  ),
  upstream_ca_file: described(
    { ...optionalPem("UPSTREAM_CA_PEM"), expected: "the path of a PEM file" },
    "CA of an `https://` proxy's certificate",
  ),
  bypass: described(
    targetEntries(),
    "targets that are reached [without the tunnel](routing.md#bypass-and-block)",
  ),
  block: described(targetEntries(), "targets that are refused; wins over `bypass`"),
} satisfies KeysOf<"agent", unknown>;

/**
 * Reads the agent's configuration.
 *
 * @throws {SallyportError} `bad_request`, one line for each problem.
 */
export async function loadAgentConfig(options: LoadOptions): Promise<AgentConfig> {
  const { config: read, at } = await readConfig(AGENT_KEYS, { ...options, program: "agent" });
  const wake = read.wake_endpoint;
  if (read.server_ip === "" && wake === undefined) {
    const problem = options.file === undefined
      ? "no --config was given, there is no agent.yaml here, and SALLYPORT_SERVER_IP is not set: write agent.yaml " +
        `(README, "Run it for real"), then run ${agentCommand("", "agent.yaml")}`
      : `${at("server_ip")}: Cannot use server_ip: ` +
        'expected the address of your server, such as "192.0.2.7", or a wake_endpoint instead, current value is empty';
    throw new SallyportError("bad_request", problem);
  }
  const own = { host: read.local_proxy_host, port: read.local_proxy_port };
  requireDistinctPorts(at, [
    { keys: ["local_proxy_host", "local_proxy_port"], host: own.host, port: own.port },
    { keys: ["console_port"], host: CONSOLE_HOST, port: read.console_port },
  ]);
  const { upstream, warnings } = await upstreamOf(read.upstream_proxy, own, options, at("upstream_proxy"));
  return {
    ...options.file !== undefined && { file: resolve(options.workingDirectory ?? ".", options.file) },
    serverIp: read.server_ip,
    serverPort: read.server_port,
    serverName: read.server_name,
    sni: read.sni || read.server_name,
    localProxyHost: read.local_proxy_host,
    localProxyPort: read.local_proxy_port,
    localProxyAuth: read.local_proxy_auth,
    eager: read.eager,
    consolePort: read.console_port,
    identity: { cert: read.cert_file, key: read.key_file, ca: read.ca_cert_file, crl: read.crl_file },
    logLevel: read.log_level,
    traceFrames: read.trace_frames,
    cloud: read.server_ip !== "" || wake === undefined ? undefined : {
      endpoints: { wake, query: read.query_endpoint, kill: read.kill_endpoint },
      killOnExit: read.kill_on_exit,
      wakeTimeout: read.wake_timeout,
    },
    connections: read.connections,
    resumeTimeout: read.resume_timeout,
    warnings,
    upstream: upstream && await withProxyCa(upstream, read.upstream_ca_file),
    bypass: read.bypass,
    block: read.block,
  };
}

/** Where an agent with the same configuration listens on this machine. */
export interface LocalPorts {
  readonly proxy: {
    readonly host: string;
    readonly port: number;
    readonly credentials: UserAndPassword | undefined;
  };
  readonly consolePort: number;
}

/**
 * Reads the ports from the agent's configuration.
 *
 * @throws {SallyportError} `bad_request`, one line for each problem of the configuration.
 */
export async function loadLocalPorts(options: LoadOptions): Promise<LocalPorts> {
  const read = await loadConfig(AGENT_KEYS, { ...options, program: "agent" });
  const { local_proxy_host: host, local_proxy_port: port, local_proxy_auth: credentials } = read;
  return { proxy: { host, port, credentials }, consolePort: read.console_port };
}

async function upstreamOf(
  configured: string,
  own: { host: string; port: number },
  options: LoadOptions,
  origin: string,
): Promise<Pick<AgentConfig, "upstream" | "warnings">> {
  const machine = await machineName(options);
  const isOwn = (upstream: Upstream) => isOwnProxy(upstream, own, machine);
  // The file is meant for the agent; a variable may be meant for the programs that use the agent.
  const { environment, ignored } = ignoreOwnProxy(options.environment, isOwn);
  const found = findUpstream({ configured, environment });
  const isUnused = configured !== "" || ignored.length === 0;
  const warnings = isUnused ? [] : [ignoredVariablesWarning(ignored)];
  if (found === undefined) return { upstream: undefined, warnings };
  if ("problem" in found) throw new SallyportError("bad_request", `environment: ${found.problem}`);
  if (found.source !== "upstream_proxy" || !isOwn(found)) return { upstream: found, warnings };
  const problem = `${origin}: Cannot use upstream_proxy: ` +
    `it names this agent itself; name another proxy, or write "${UPSTREAM_DIRECT}"`;
  throw new SallyportError("bad_request", problem);
}

/** The machine's name from a file, if there is one: asking the system would need another permission. */
async function machineName({ readBytes }: LoadOptions): Promise<string | undefined> {
  return await readConfigText("/etc/hostname", readBytes).catch(() => undefined);
}

/** Where the console listens: reachable only from this machine. */
export const CONSOLE_HOST = "127.0.0.1";

/** URLs of the cloud functions. */
export interface Endpoints {
  readonly wake: URL;
  /** If it is not set, Wake is called repeatedly, which answers the same. */
  readonly query: URL | undefined;
  /** If it is not set, the agent never stops the server. */
  readonly kill: URL | undefined;
}
