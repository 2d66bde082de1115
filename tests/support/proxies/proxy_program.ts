import { curl } from "../curl.ts";
import { eventually } from "../eventually.ts";
import { within } from "../within.ts";
import { whyMissing } from "../tools.ts";

/** A proxy of somebody else, as a process of its own. */
export interface ProxyProgram extends AsyncDisposable {
  readonly port: number;
}

/** Which proxies there are. */
export type ProxyKind = "tinyproxy" | "squid";

/** User and password that a proxy wants. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const PROGRAMS: Readonly<Record<ProxyKind, readonly string[]>> = {
  tinyproxy: ["tinyproxy", "/usr/bin/tinyproxy"],
  squid: ["/usr/sbin/squid", "squid"],
};

/** Where a proxy's program is; undefined where it is missing. */
export async function proxyProgram(kind: ProxyKind): Promise<string | undefined> {
  for (const program of PROGRAMS[kind]) {
    if (await whyMissing(program, "-v") === undefined) return program;
  }
  return undefined;
}

/**
 * Starts a proxy on a free port of 127.0.0.1 that connects to any port.
 *
 * @param dir Where it keeps its files.
 * @param credentials What it wants of its clients. @default {nothing}
 */
export async function startProxy(
  kind: ProxyKind,
  program: string,
  dir: string,
  credentials?: Credentials,
): Promise<ProxyProgram> {
  const port = freePort();
  const config = `${dir}/${kind}.conf`;
  const text = kind === "tinyproxy" ? tinyproxy(port, credentials) : await squid(port, dir, credentials);
  await Deno.writeTextFile(config, text);
  // Squid names what it shares in memory after its service, and every squid of the machine has the same by default.
  const args = kind === "tinyproxy" ? ["-d", "-c", config] : ["-N", "-n", `test${port}`, "-f", config];
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  let over = false;
  const ended = child.status.then(() => void (over = true));
  const stop = async () => {
    if (!over) child.kill("SIGTERM");
    await within(10_000, ended, `the end of ${kind}`);
  };
  try {
    await eventually(`${kind} answers`, async () => {
      const { code } = await curl(["-o", "/dev/null", `http://127.0.0.1:${port}/`]);
      if (code !== 0) throw new Error(`curl ended with ${code}`);
    }, 30_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: stop };
}

function tinyproxy(port: number, credentials: Credentials | undefined): string {
  const auth = credentials === undefined ? "" : `BasicAuth ${credentials.user} ${credentials.password}\n`;
  return `Port ${port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 50\nAllow 127.0.0.1\n${auth}`;
}

async function squid(port: number, dir: string, credentials: Credentials | undefined): Promise<string> {
  const lines = [
    `http_port 127.0.0.1:${port}`,
    `pid_filename none`,
    `access_log none`,
    "cache_log /dev/null",
    "cache deny all",
    "memory_cache_shared off",
    "shutdown_lifetime 0 seconds",
    "visible_hostname proxy.test",
    "max_filedescriptors 1024",
  ];
  // Started by root it becomes another user, who has to reach its helper.
  if (Deno.uid() === 0) await Deno.chmod(dir, 0o755);
  if (credentials === undefined) return [...lines, "http_access allow all", ""].join("\n");
  // Its protocol is lines of "user password", answered with OK or ERR.
  const helper = `${dir}/auth.sh`;
  const wanted = `${credentials.user} ${credentials.password}`;
  const script = `#!/bin/sh\nwhile read -r line; do [ "$line" = '${wanted}' ] && echo OK || echo ERR; done\n`;
  await Deno.writeTextFile(helper, script, { mode: 0o755 });
  return [
    ...lines,
    `auth_param basic program ${helper}`,
    "auth_param basic children 1",
    "acl known proxy_auth REQUIRED",
    "http_access allow known",
    "http_access deny all",
    "",
  ].join("\n");
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
