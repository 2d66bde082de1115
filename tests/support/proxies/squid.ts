import type { ProxySetup } from "./proxy_program.ts";

/** Configuration of a squid; writes the files that it names. */
export async function squidConfig(setup: ProxySetup): Promise<string> {
  const { dir, log, only443 = false } = setup;
  // Started by root it becomes another user, who has to reach its files.
  if (Deno.uid() === 0) await Deno.chmod(dir, 0o755);
  return [
    await portLine(setup),
    "pid_filename none",
    "logformat asked %rm %ru",
    `access_log stdio:${log} asked`,
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
  // Its protocol is lines of "user password", answered with OK or ERR.
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
