/**
 * The keys of each program. Both lists are here so that a program recognises a file for the other one; the compiler checks
 * them against each program's configuration.
 */
export const PROGRAM_KEYS = {
  agent: [
    "server_ip",
    "server_port",
    "server_name",
    "sni",
    "local_proxy_host",
    "local_proxy_port",
    "local_proxy_auth",
    "eager",
    "console_port",
    "cert_file",
    "key_file",
    "ca_cert_file",
    "crl_file",
    "log_level",
    "trace_frames",
    "wake_endpoint",
    "query_endpoint",
    "kill_endpoint",
    "kill_on_exit",
    "wake_timeout",
    "connections",
    "resume_timeout",
    "upstream_proxy",
    "upstream_ca_file",
    "bypass",
    "block",
  ],
  server: [
    "listen_addr",
    "listen_port",
    "health_addr",
    "health_port",
    "cert_file",
    "key_file",
    "ca_cert_file",
    "crl_file",
    "max_connections",
    "max_streams",
    "targets",
    "clients",
    "log_level",
    "trace_frames",
    "drain_timeout",
    "idle_timeout",
    "resume_timeout",
    "audit_open_after",
    "emit_metrics",
    "metrics_interval",
    "metrics_name",
    "metrics_namespace",
    "crl_parameter",
  ],
} as const;

/** A program that has a configuration. */
export type ProgramName = keyof typeof PROGRAM_KEYS;

/** A record with exactly the keys of a program. */
export type KeysOf<P extends ProgramName, Entry> = Readonly<
  Record<(typeof PROGRAM_KEYS)[P][number], Entry>
>;

/** The other program, if a top-level key belongs only to it. */
export function ownerElsewhere(key: string, program: ProgramName): ProgramName | undefined {
  const other = program === "agent" ? "server" : "agent";
  const has = (name: ProgramName) => (PROGRAM_KEYS[name] as readonly string[]).includes(key);
  return has(other) && !has(program) ? other : undefined;
}

/** Where a program's keys are documented, as it follows "see". */
export function manualOf(program: ProgramName | undefined): string {
  return `docs/configuration.md${program === undefined ? "" : `#${program}`}`;
}
