import { curl } from "../curl.ts";
import { eventually } from "../eventually.ts";
import type { ServingCertificate } from "../http_origin.ts";
import { whyMissing } from "../tools.ts";
import { within } from "../within.ts";
import { squidConfig } from "./squid.ts";
import { tinyproxyConfig } from "./tinyproxy.ts";

/** A proxy of somebody else, as a process of its own. */
export interface ProxyProgram extends AsyncDisposable {
  readonly port: number;
  /**
   * Whom clients asked it to connect to (CONNECT), as `host:port`, in its own words. Squid tells of a connection
   * when it is over.
   */
  connected(): Promise<string[]>;
}

/** Which proxies there are. */
export type ProxyKind = "tinyproxy" | "squid";

/** User and password that a proxy wants. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** How a proxy is set up for a test. */
export interface ProxyRules {
  /** Makes it speak TLS to its clients; squid alone does. @default {plain} */
  readonly tls?: ServingCertificate | undefined;
  /** Whether it connects to port 443 and no other, as many do. @default false */
  readonly only443?: boolean;
}

/** What a configuration is made of. */
export interface ProxySetup extends ProxyRules {
  readonly port: number;
  /** Where it keeps its files. */
  readonly dir: string;
  /** Where it writes whom it was asked for. */
  readonly log: string;
  readonly credentials: Credentials | undefined;
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
  rules: ProxyRules = {},
): Promise<ProxyProgram> {
  const port = freePort();
  const [config, log] = [`${dir}/${kind}_${port}.conf`, `${dir}/${kind}_${port}.log`];
  // Started by root squid becomes another user, who has to write there.
  await Deno.writeTextFile(log, "");
  await Deno.chmod(log, 0o666);
  const setup: ProxySetup = { ...rules, port, dir, log, credentials };
  await Deno.writeTextFile(config, kind === "tinyproxy" ? tinyproxyConfig(setup) : await squidConfig(setup));
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
