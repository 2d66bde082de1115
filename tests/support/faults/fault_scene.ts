import assert from "node:assert/strict";
import { Chain, type ChainOptions } from "../programs/chain.ts";
import { assertNothingLeaked, type OpenFiles, openFiles } from "../programs/open_files.ts";
import { eventually } from "../eventually.ts";
import { type FaultOrigins, startFaultOrigins } from "./fault_origins.ts";
import { Pattern } from "./pattern.ts";
import { Relay } from "./relay.ts";
import { agentStatus } from "../programs/status.ts";
import { assertAllComplete, assertTargetsClosed, Traffic } from "./traffic.ts";
import { terminal } from "../../../shared/cli/terminal.ts";

/** A running chain that has carried traffic, and its open files at rest. */
export interface FaultScene {
  chain: Chain;
  /** Origins whose transfers never end. */
  endless: FaultOrigins;
  /** Open files before the fault. */
  before: OpenFiles;
  /** Reports a measured figure. */
  figure(what: string, value: string | number): void;
}

/**
 * Runs `fault` between two rounds of traffic of all kinds that must be complete. Afterwards there must be no stream,
 * no client and no more open files than before, and both programs must shut down with exit code 0.
 *
 * @param options How the chain is set up.
 * @param start Starts server and agent. @default in this order, connected directly
 */
export async function withFault(
  options: ChainOptions,
  fault: (scene: FaultScene) => Promise<void>,
  start: (chain: Chain) => Promise<AsyncDisposable | void> = startBoth,
): Promise<void> {
  await using chain = await Chain.prepare(options);
  await using between = await start(chain) ?? NOTHING;
  void between;
  const figures: string[] = [];
  {
    await using finite = startFaultOrigins(new Pattern(64));
    await using endless = startFaultOrigins(new Pattern(Infinity));
    await completeTraffic(chain, finite);
    const before = await settle(chain);
    await fault({ chain, endless, before, figure: (what, value) => void figures.push(`${what} ${value}`) });
    await assertTargetsClosed(endless);
    // An agent whose circuit breaker is open rightly refuses until its next dial.
    await eventually("the agent is connected again", async () => {
      assert.equal((await agentStatus(chain)).state, "ready");
    });
    await completeTraffic(chain, finite);
    const after = await assertNothingLeaked(chain, before);
    figures.push(`files ${before.agent}/${before.server} before, ${after.agent}/${after.server} after`);
  }
  terminal.out(`${figures.join("; ")}\n`);
  await chain.finish();
}

/** How {@linkcode withRelay} sets up the chain. */
interface RelayedOptions extends ChainOptions {
  /** Runs before the programs start, such as to write files. @default {nothing} */
  prepare?(chain: Chain): Promise<void>;
}

/** {@linkcode withFault} with an agent that reaches the server through a relay, which `fault` can cut and silence. */
export async function withRelay(
  { prepare, ...options }: RelayedOptions,
  fault: (scene: FaultScene & { relay: Relay }) => Promise<void>,
): Promise<void> {
  let relay!: Relay;
  await withFault(options, (scene) => fault({ ...scene, relay }), async (chain) => {
    await prepare?.(chain);
    await chain.startServer();
    relay = await Relay.start(chain.serverPort);
    await chain.startAgent({}, { server_port: relay.port });
    return relay;
  });
}

/** Runs traffic of all kinds, and asserts that every transfer is complete. */
export async function completeTraffic(chain: Chain, origins: FaultOrigins): Promise<void> {
  await using traffic = new Traffic(chain, origins);
  assertAllComplete(await traffic.results(), origins);
}

const NOTHING: AsyncDisposable = { [Symbol.asyncDispose]: () => Promise.resolve() };

async function startBoth(chain: Chain): Promise<void> {
  await chain.startServer();
  await chain.startAgent();
}

async function settle(chain: Chain): Promise<OpenFiles> {
  await assertNothingLeaked(chain, { agent: Infinity, server: Infinity });
  return await openFiles(chain);
}
