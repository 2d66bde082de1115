import type { ServingCertificate } from "../origins/http_origin.ts";

/** User and password that a proxy requires. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** How a proxy is set up for a test. */
export interface ProxyRules {
  /** Makes it accept TLS from its clients; only squid can. @default {plain} */
  readonly tls?: ServingCertificate | undefined;
  /** Whether it allows CONNECT to port 443 only, as many proxies do. @default false */
  readonly only443?: boolean;
}

/** Values of a configuration. */
export interface ProxySetup extends ProxyRules {
  readonly port: number;
  /** Folder of its files. */
  readonly dir: string;
  /** File where it logs requested targets. */
  readonly log: string;
  readonly credentials: Credentials | undefined;
}

/** Configuration of tinyproxy. */
export function tinyproxyConfig({ port, log, credentials, only443 = false }: ProxySetup): string {
  return [
    `Port ${port}`,
    "Listen 127.0.0.1",
    "Timeout 600",
    "MaxClients 50",
    "Allow 127.0.0.1",
    `LogFile "${log}"`,
    "LogLevel Connect",
    ...(credentials === undefined ? [] : [`BasicAuth ${credentials.user} ${credentials.password}`]),
    ...(only443 ? ["ConnectPort 443"] : []),
    "",
  ].join("\n");
}

/** Configuration of squid; writes the files that it names. */
export async function squidConfig(setup: ProxySetup): Promise<string> {
  const { dir, log, only443 = false } = setup;
  // Started by root it switches to another user, which needs access to its files.
  if (Deno.uid() === 0) await Deno.chmod(dir, 0o755);
  return [
    await portLine(setup),
    "pid_filename none",
    "logformat targets %rm %ru",
    `access_log stdio:${log} targets`,
    "cache_log /dev/null",
    "cache deny all",
    "memory_cache_shared off",
    "shutdown_lifetime 0 seconds",
    "visible_hostname proxy.test",
    "max_filedescriptors 1024",
    ...(only443 ? ["acl web port 443", "http_access deny !web"] : []),
    ...await accessLines(setup),
    "",
  ].join("\n");
}

async function portLine({ port, dir, tls }: ProxySetup): Promise<string> {
  if (tls === undefined) return `http_port 127.0.0.1:${port}`;
  const [cert, key] = [`${dir}/squid_${port}.crt`, `${dir}/squid_${port}.key`];
  await Deno.writeTextFile(cert, tls.cert);
  await Deno.writeTextFile(key, tls.key);
  return `https_port 127.0.0.1:${port} tls-cert=${cert} tls-key=${key}`;
}

async function accessLines({ dir, port, credentials }: ProxySetup): Promise<string[]> {
  if (credentials === undefined) return ["http_access allow all"];
  // The helper reads lines of "user password" and answers OK or ERR.
  const helper = `${dir}/auth_${port}.sh`;
  const wanted = `${credentials.user} ${credentials.password}`;
  const script = `#!/bin/sh\nwhile read -r line; do [ "$line" = '${wanted}' ] && echo OK || echo ERR; done\n`;
  await Deno.writeTextFile(helper, script, { mode: 0o755 });
  return [
    `auth_param basic program ${helper}`,
    "auth_param basic children 1",
    "acl known proxy_auth REQUIRED",
    "http_access allow known",
    "http_access deny all",
  ];
}
