/**
 * A script for the near end of a path of packets: transfers of all kinds through a real agent here and a real server at
 * the far end. Argument: JSON of {@linkcode LossyPlan}; prints JSON of {@linkcode LossyReport}.
 */
import { terminal } from "../../../shared/cli/terminal.ts";
import { proxyClient } from "../clients/proxy_client.ts";
import { eventually } from "../eventually.ts";
import { Helper } from "../paths/helper.ts";
import { Chain } from "../programs/chain.ts";
import { agentStatus } from "../programs/status.ts";
import { within } from "../within.ts";
import { Pattern } from "./pattern.ts";
import { TRANSFERS } from "./transfers.ts";

/** Where the far end is, and how much is transferred. */
export interface LossyPlan {
  /** A command that runs the one behind it at the far end. */
  readonly far: readonly string[];
  readonly farHost: string;
  /** Parts of the pattern of each transfer, 64 KiB each. */
  readonly parts: number;
}

/** What happened. */
export interface LossyReport {
  /** By kind: null for a transfer of which every byte arrived once and in order, or the error. */
  readonly errors: Readonly<Record<string, string | null>>;
  readonly seconds: number;
  /** Bytes that connections to the server had carried, both ways together, when most of them were used. */
  readonly links: readonly number[];
  /** Exit codes. */
  readonly agent: number;
  readonly server: number;
}

/** Milliseconds between two looks at the connections. */
const LOOK_EVERY = 250;

/** Bytes of a connection that is used for more than its handshake and acknowledgements. */
const USED = 200_000;

/** What the kernel counted so far for each open connection to `host`. */
async function connectionsTo(host: string): Promise<number[]> {
  const args = ["-tinOH", "state", "established", "dst", host];
  const { stdout } = await new Deno.Command("ss", { args, stdin: "null" }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").filter((line) => line !== "").map((line) => {
    const count = (name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(line)?.[1] ?? 0);
    return count("bytes_acked") + count("bytes_received");
  });
}

/** How many of these connections are used. */
export function countUsed(links: readonly number[]): number {
  return links.filter((bytes) => bytes > USED).length;
}

async function run({ far, farHost, parts }: LossyPlan): Promise<LossyReport> {
  await using program = new Helper(import.meta.resolve("./fault_origins_program.ts"), [String(parts)], {
    wrapper: far,
  });
  const { http, echo } = await program.ready();
  await using chain = await Chain.start({
    wrapper: { server: far },
    server: { listen_addr: farHost },
    agent: { server_ip: farHost },
  });
  let links: readonly number[] = [];
  const look = async () => {
    const now = await connectionsTo(farHost);
    if (countUsed(now) >= countUsed(links)) links = now;
  };
  const looking = setInterval(() => void look(), LOOK_EVERY);
  using client = proxyClient(chain.proxyUrl);
  const begun = performance.now();
  const errors: Record<string, string | null> = {};
  const context = {
    origins: { pattern: new Pattern(parts), http: { host: String(http) }, echo: { host: String(echo) } },
    proxyPort: chain.proxyPort,
    client,
    begun: () => {},
    signal: new AbortController().signal,
  };
  const transfers = Object.entries(TRANSFERS).map(async ([kind, transfer]) => {
    errors[kind] = await transfer(context).then(() => null, String);
  });
  await within(120_000, Promise.all(transfers), "the end of every transfer");
  const seconds = (performance.now() - begun) / 1_000;
  clearInterval(looking);
  await look();
  await eventually("no stream in the agent", async () => {
    const { streams } = await agentStatus(chain);
    if (streams !== 0) throw new Error(`${streams} streams`);
  });
  const codes = { agent: (await chain.agent.stop()).code, server: (await chain.server.stop()).code };
  return { errors, seconds, links, ...codes };
}

if (import.meta.main) terminal.out(JSON.stringify(await run(JSON.parse(Deno.args[0]!))));
