import assert from "node:assert/strict";
import { Chain, type ChainOptions } from "./chain.ts";
import { assertNothingLeaked, type Descriptors, descriptors } from "./descriptors.ts";
import { eventually } from "./eventually.ts";
import { type FaultOrigins, startFaultOrigins } from "./fault_origins.ts";
import { Pattern } from "./pattern.ts";
import { agentStatus } from "./zero.ts";
import { assertAllWhole, assertTargetsLeft, Traffic } from "./traffic.ts";

/** A chain that has worked before, and its open files at rest. */
export interface FaultScene {
  chain: Chain;
  /** Origins of transfers that never end. */
  endless: FaultOrigins;
  /** Open files before the fault. */
  before: Descriptors;
  /** Tells a figure that was measured. */
  figure(what: string, value: string | number): void;
}

/**
 * Runs `fault` between two rounds of traffic of all kinds that must end whole. After it there must be no stream,
 * no client and no more open files than before, and both programs must stop in order.
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
    await wholeTraffic(chain, finite);
    const before = await settle(chain);
    await fault({ chain, endless, before, figure: (what, value) => void figures.push(`${what} ${value}`) });
    await assertTargetsLeft(endless);
    // Until its next dial an agent whose breaker is open refuses at once, as it should.
    await eventually("the agent is connected again", async () => {
      assert.equal((await agentStatus(chain)).state, "ready");
    });
    await wholeTraffic(chain, finite);
    const after = await assertNothingLeaked(chain, before);
    figures.push(`files ${before.agent}/${before.server} before, ${after.agent}/${after.server} after`);
  }
  Deno.stdout.writeSync(new TextEncoder().encode(`${figures.join("; ")}\n`));
  await chain.finish();
}

/** Moves traffic of all kinds, and asserts that every transfer is whole. */
export async function wholeTraffic(chain: Chain, origins: FaultOrigins): Promise<void> {
  await using traffic = new Traffic(chain, origins);
  assertAllWhole(await traffic.outcomes(), origins);
}

const NOTHING: AsyncDisposable = { [Symbol.asyncDispose]: () => Promise.resolve() };

async function startBoth(chain: Chain): Promise<void> {
  await chain.startServer();
  await chain.startAgent();
}

async function settle(chain: Chain): Promise<Descriptors> {
  await assertNothingLeaked(chain, { agent: Infinity, server: Infinity });
  return await descriptors(chain);
}
