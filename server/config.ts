import {
  boolean,
  duration,
  host,
  integer,
  listenPort,
  listenPorts,
  logLevel,
  optionalPem,
  pem,
  text,
} from "../shared/config/fields.ts";
import { loadConfig, type LoadOptions } from "../shared/config/load.ts";
import { SallyportError } from "../shared/errors.ts";
import type { LogLevel } from "../shared/log_level.ts";
import type { IdentitySource } from "../shared/tls/identity_source.ts";
import { clientEntries } from "../shared/clients/field.ts";
import type { ClientEntry } from "../shared/clients/rules.ts";
import { isTarget, targetEntries, TARGETS } from "../shared/targets/target_entries.ts";
import { HEALTH_DEFAULTS } from "./health_address.ts";

/** What the server is told by its file and environment; the README's table explains the keys. */
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
  /** Connections of agents at once. @default 100 */
  readonly maxConnections: number;
  /** Streams of one connection at once. @default 4096 */
  readonly maxStreams: number;
  /** Destinations that are let in beside the public ones, and those that are not. @default {none} */
  readonly targets: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  /** Clients that are served, and where they may go; all of the CA when it is empty. @default {none} */
  readonly clients: { readonly allow: readonly ClientEntry[] };
  /** @default "info" */
  readonly logLevel: LogLevel;
  /** Milliseconds that streams get to finish when the server is told to stop. @default 20000 */
  readonly drainTimeout: number;
  /** Milliseconds without a byte after which a stream is ended. @default 600000 */
  readonly idleTimeout: number;
  /** Milliseconds after which a stream that is still open has an audit line. @default 60000 */
  readonly auditOpenAfter: number;
  /** How to report to CloudWatch; undefined where `emit_metrics` is off. @default undefined */
  readonly metrics: MetricsConfig | undefined;
  /** Name of an SSM parameter with the revocation list, PEM, in place of `crl_file`. @default undefined */
  readonly crlParameter: string | undefined;
}

/** How the server reports to CloudWatch. */
export interface MetricsConfig {
  /** Milliseconds between two reports. @default 60000 */
  readonly interval: number;
  /** Tells this installation's reports from those of others. @default "sallyport" */
  readonly name: string;
}

const SERVER_KEYS = {
  listen_addr: host("0.0.0.0"),
  listen_port: listenPorts(8443),
  health_addr: host(HEALTH_DEFAULTS.host),
  health_port: listenPort(HEALTH_DEFAULTS.port),
  cert_file: pem("/root/certs/server.crt", "CERT_PEM"),
  key_file: pem("/root/certs/server.key", "KEY_PEM"),
  ca_cert_file: pem("/root/certs/ca.crt", "CA_CERT_PEM"),
  crl_file: optionalPem("CRL_PEM"),
  max_connections: integer(100, 1, 1_000_000),
  max_streams: integer(4096, 1, 1_000_000),
  targets: { allow: targetEntries(), deny: targetEntries() },
  clients: { allow: clientEntries(TARGETS, isTarget) },
  log_level: logLevel("info"),
  drain_timeout: duration("20s"),
  idle_timeout: duration("10m", 1),
  audit_open_after: duration("1m", 1),
  emit_metrics: boolean(false),
  metrics_interval: duration("60s", 1_000),
  metrics_name: text(
    "sallyport",
    /^[\w.-]{1,64}$/,
    "a name of letters, digits, dots, dashes and underscores",
  ),
  crl_parameter: text("", /^[\w./-]{0,1011}$/, "the name of an SSM parameter"),
};

/**
 * Reads the server's configuration.
 *
 * @throws {SallyportError} `bad_request`, one line for each problem.
 */
export async function loadServerConfig(options: LoadOptions): Promise<ServerConfig> {
  const read = await loadConfig(SERVER_KEYS, options);
  if (read.crl_parameter !== "" && read.crl_file !== undefined) {
    const problem = `${options.file ?? "SALLYPORT_CRL_PARAMETER"}: Cannot use crl_parameter: ` +
      "there is a crl_file too, and only one of them can be right";
    throw new SallyportError("bad_request", problem);
  }
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
    drainTimeout: read.drain_timeout,
    idleTimeout: read.idle_timeout,
    auditOpenAfter: read.audit_open_after,
    metrics: read.emit_metrics ? { interval: read.metrics_interval, name: read.metrics_name } : undefined,
    crlParameter: read.crl_parameter || undefined,
  };
}
