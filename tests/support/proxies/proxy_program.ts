import { curl } from "../clients/curl.ts";
import { eventually } from "../eventually.ts";
import { whyMissing } from "../tools.ts";
import { within } from "../within.ts";
import {
  type Credentials,
  type ProxyRules,
  type ProxySetup,
  squidConfig,
  tinyproxyConfig,
} from "./proxy_config.ts";

/** A third-party proxy, running as a process. */
export interface ProxyProgram extends AsyncDisposable {
  readonly port: number;
  /**
   * Targets of CONNECT requests as `host:port`, from its log. Squid logs a connection when it ends.
   */
  connected(): Promise<string[]>;
}

/** The supported proxies. */
export type ProxyKind = "tinyproxy" | "squid";

const PROGRAMS: Readonly<Record<ProxyKind, readonly string[]>> = {
  tinyproxy: ["tinyproxy", "/usr/bin/tinyproxy"],
  squid: ["/usr/sbin/squid", "squid"],
};

/** Finds a proxy's program; undefined when it is not installed. */
export async function proxyProgram(kind: ProxyKind): Promise<string | undefined> {
  for (const program of PROGRAMS[kind]) {
    if (await whyMissing(program, "-v") === undefined) return program;
  }
  return undefined;
}

/**
 * Starts a proxy on a free port of 127.0.0.1 that connects to any port.
 *
 * @param dir Folder of its files.
 * @param credentials What it requires of its clients. @default {nothing}
 */
export async function startProxy(
  kind: ProxyKind,
  program: string,
  dir: string,
  credentials?: Credentials,
  rules: ProxyRules = {},
): Promise<ProxyProgram> {
  const port = freePort();
  const [config, log] = [`${dir}/${kind}_${port}.conf`, `${dir}/${kind}_${port}.log`];
  // Started by root squid switches to another user, which has to write there.
  await Deno.writeTextFile(log, "");
  await Deno.chmod(log, 0o666);
  const setup: ProxySetup = { ...rules, port, dir, log, credentials };
  await Deno.writeTextFile(config, kind === "tinyproxy" ? tinyproxyConfig(setup) : await squidConfig(setup));
  // Squid names its shared memory after its service name, which is the same for every squid by default.
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
      const url = `${rules.tls === undefined ? "http" : "https"}://127.0.0.1:${port}/`;
      const { code } = await curl(["-k", "-o", "/dev/null", url]);
      if (code !== 0) throw new Error(`curl ended with ${code}`);
    }, 30_000);
  } catch (error) {
    await stop();
    throw error;
  }
  const connected = async () =>
    [...(await Deno.readTextFile(log)).matchAll(/\bCONNECT (\S+:\d+)(?: HTTP|$)/gm)].map(([, target]) =>
      target!
    );
  return { port, connected, [Symbol.asyncDispose]: stop };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
