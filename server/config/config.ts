import {
  boolean,
  described,
  duration,
  host,
  integer,
  listenPort,
  listenPorts,
  logLevel,
  optionalPem,
  pem,
  text,
} from "../../shared/config/fields.ts";
import { METRIC_NAMESPACE } from "../../shared/cloud/metric_names.ts";
import { type LoadOptions, readConfig } from "../../shared/config/load.ts";
import { requireDistinctPorts } from "../../shared/config/distinct_ports.ts";
import type { KeysOf } from "../../shared/config/program_keys.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { LogLevel } from "../../shared/log_level.ts";
import { MAX_RESUME_TIMEOUT } from "../../shared/mux/options.ts";
import type { IdentitySource } from "../../shared/pki/identity/identity.ts";
import { clientEntries } from "../../shared/clients/field.ts";
import type { ClientEntry } from "../../shared/clients/rules.ts";
import { isTarget, targetEntries, TARGETS } from "../../shared/egress/rules/target_entries.ts";
import { HEALTH_DEFAULTS } from "../health/health_address.ts";

/** The server's configuration, from its file and environment; docs/configuration.md explains the keys. */
export interface ServerConfig {
  /** @default "0.0.0.0" */
  readonly listenAddr: string;
  /** Ports for agents; 0 picks a free one. @default [8443] */
  readonly listenPorts: readonly number[];
  /** Where the health port listens. @default "127.0.0.1" */
  readonly healthAddr: string;
  /** On `healthAddr`; 0 picks a free one. @default 8080 */
  readonly healthPort: number;
  /** @default {server.crt, server.key and ca.crt in /root/certs, no revocation list} */
  readonly identity: IdentitySource;
  /** Concurrent connections of agents. @default 100 */
  readonly maxConnections: number;
  /** Concurrent streams of one session. @default 4096 */
  readonly maxStreams: number;
  /** Targets that are allowed besides the public ones, and those that are denied. @default {none} */
  readonly targets: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** Clients that are accepted, with their targets; when empty, all clients of the CA. @default {none} */
  readonly clients: { readonly allow: readonly ClientEntry[] };
  /** @default "info" */
  readonly logLevel: LogLevel;
  /** Whether every frame is logged, without its content. @default false */
  readonly traceFrames: boolean;
  /** Milliseconds that streams get to finish when the server shuts down. @default 20000 */
  readonly drainTimeout: number;
  /** Milliseconds without a byte after which a stream is closed. @default 600000 */
  readonly idleTimeout: number;
  /** Milliseconds that open streams wait for a new connection of their agent. @default 60000 */
  readonly resumeTimeout: number;
  /** Milliseconds after which a stream that is still open has an audit line. @default 60000 */
  readonly auditOpenAfter: number;
  /** How to report to CloudWatch; undefined where `emit_metrics` is off. @default undefined */
  readonly metrics: MetricsConfig | undefined;
  /** Name of an SSM parameter with the revocation list, PEM, instead of `crl_file`. @default undefined */
  readonly crlParameter: string | undefined;
}

/** How the server reports to CloudWatch. */
export interface MetricsConfig {
  /** Milliseconds between two reports. @default 60000 */
  readonly interval: number;
  /** CloudWatch namespace of the reports; the server's role may be limited to it. @default "Sallyport" */
  readonly namespace: string;
  /** Distinguishes this installation's reports from others in the namespace. @default "sallyport" */
  readonly name: string;
}

/** The keys, what may be written there, and what they mean. */
export const SERVER_KEYS = {
  listen_addr: described(host("0.0.0.0", "listen_port"), "where the server listens for agents"),
  listen_port: described(listenPorts(8443), "port for agents, or several; 0 picks a free one"),
  health_addr: described(
    host(HEALTH_DEFAULTS.host, "health_port"),
    "where the health port listens; a load balancer needs `0.0.0.0`",
  ),
  health_port: described(
    listenPort(HEALTH_DEFAULTS.port),
    "port of [`/health` and `/metrics`](operations.md#health); 0 picks a free one; 8080 is also the agent's default proxy port",
  ),
  cert_file: described(
    pem("/root/certs/server.crt", "CERT_PEM"),
    "the server's certificate, and its chain if it has one (at most 4 in all), PEM",
  ),
  key_file: described(pem("/root/certs/server.key", "KEY_PEM"), "its private key, PEM without a passphrase"),
  ca_cert_file: described(
    pem("/root/certs/ca.crt", "CA_CERT_PEM"),
    "the private CA that issued the agents' certificates, PEM",
  ),
  crl_file: described(
    optionalPem("CRL_PEM"),
    "[revocation lists](certificates.md#revocation-lists), PEM (one for each CA of `ca_cert_file`, in one file) or DER",
  ),
  max_connections: described(
    integer(100, 1, 1_000_000),
    "connections of agents at once, [shared](operations.md#limits-and-shares) by certificate",
  ),
  max_streams: described(
    integer(4096, 1, 1_000_000),
    "streams of one [session](architecture.md#sessions-and-links) at once; all sessions together may have 8 times as many",
  ),
  targets: {
    allow: described(
      targetEntries(),
      "[targets](routing.md#target-rules) that are allowed although they are not public",
    ),
    deny: described(targetEntries(), "targets that are refused, whatever else is allowed"),
  },
  clients: {
    allow: described(
      clientEntries(TARGETS, isTarget),
      "which [clients](routing.md#client-rules) are served, and where each may go; empty: every client of the CA",
    ),
  },
  log_level: described(logLevel("info"), "how much is logged"),
  trace_frames: described(
    boolean(false),
    "whether every frame of the tunnel is [logged](troubleshooting.md#follow-a-session), without its content",
  ),
  drain_timeout: described(duration("20s"), "how long open streams may continue after the first signal"),
  idle_timeout: described(duration("10m", 1), "silence after which a stream ends"),
  resume_timeout: described(
    duration("60s", 0, MAX_RESUME_TIMEOUT),
    "how long open streams [wait for a new connection](architecture.md#sessions-and-links) of their agent; 0: not at all",
  ),
  audit_open_after: described(
    duration("1m", 1),
    "age at which an open stream gets an [audit line](operations.md#audit-log)",
  ),
  emit_metrics: described(
    boolean(false),
    "whether to report to CloudWatch; `deploy` turns it on, because Sleep reads it",
  ),
  metrics_interval: described(duration("60s", 1_000), "time between two reports"),
  metrics_namespace: described(
    text(
      METRIC_NAMESPACE,
      /^(?!AWS\/)[\w.\/#-]{1,255}$/,
      'a CloudWatch namespace of letters, digits and "._/#-" that does not begin with "AWS/"',
    ),
    "the CloudWatch namespace; `deploy` gives each installation its own",
  ),
  metrics_name: described(
    text(
      "sallyport",
      /^[\w.-]{1,64}$/,
      '1 to 64 letters, digits, dots, dashes and underscores, such as "sallyport"',
    ),
    "distinguishes the reports of this installation from others",
  ),
  crl_parameter: described(
    text("", /^[\w./-]{0,1011}$/, 'the name of an SSM parameter, such as "/sallyport/crl"'),
    "SSM parameter with the revocation list, instead of `crl_file`",
  ),
} satisfies KeysOf<"server", unknown>;

/**
 * Reads the server's configuration.
 *
 * @throws {SallyportError} `bad_request`, one line for each problem.
 */
export async function loadServerConfig(options: LoadOptions): Promise<ServerConfig> {
  const { config: read, at } = await readConfig(SERVER_KEYS, { ...options, program: "server" });
  if (read.crl_parameter !== "" && read.crl_file !== undefined) {
    const problem = `${at("crl_parameter")}: Cannot use crl_parameter: ` +
      "crl_file is set too; remove one of them";
    throw new SallyportError("bad_request", problem);
  }
  requireDistinctPorts(at, [
    ...read.listen_port.map((port) => ({
      keys: ["listen_addr", "listen_port"],
      host: read.listen_addr,
      port,
    })),
    { keys: ["health_addr", "health_port"], host: read.health_addr, port: read.health_port },
  ]);
  return {
    listenAddr: read.listen_addr,
    listenPorts: read.listen_port,
    healthAddr: read.health_addr,
    healthPort: read.health_port,
    identity: { cert: read.cert_file, key: read.key_file, ca: read.ca_cert_file, crl: read.crl_file },
    maxConnections: read.max_connections,
    maxStreams: read.max_streams,
    targets: { allow: read.targets.allow, deny: read.targets.deny },
    clients: { allow: read.clients.allow },
    logLevel: read.log_level,
    traceFrames: read.trace_frames,
    drainTimeout: read.drain_timeout,
    idleTimeout: read.idle_timeout,
    resumeTimeout: read.resume_timeout,
    auditOpenAfter: read.audit_open_after,
    metrics: read.emit_metrics
      ? { interval: read.metrics_interval, namespace: read.metrics_namespace, name: read.metrics_name }
      : undefined,
    crlParameter: read.crl_parameter || undefined,
  };
}
