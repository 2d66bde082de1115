import assert from "node:assert/strict";
import type { Chain } from "./chain.ts";
import { eventually } from "../eventually.ts";
import { descriptorsOf } from "../process_stats.ts";
import type { Program } from "./programs.ts";
import { agentStatus, assertIdle, health } from "./status.ts";

/** Open files of agent and server. */
export interface OpenFiles {
  agent: number;
  server: number;
}

/** Counts open files besides the tunnel's connections, whose number changes; zeros on systems without `/proc`. */
export async function openFiles(chain: Chain): Promise<OpenFiles> {
  const count = async ({ process }: Program, connections: number) =>
    Math.max(0, await descriptorsOf(process.pid) - connections);
  return {
    agent: await count(chain.agent, (await agentStatus(chain)).connections),
    server: await count(chain.server, (await health(chain)).connections),
  };
}

/**
 * Asserts that neither program has a stream, a client or more open files than before; waits for the last ones to end.
 *
 * @returns The open files now.
 */
export async function assertNothingLeaked(chain: Chain, before: OpenFiles): Promise<OpenFiles> {
  await assertIdle(chain);
  return await eventually("open files are as many as before", async () => {
    const now = await openFiles(chain);
    assert.ok(now.agent <= before.agent, `${now.agent} files in the agent, ${before.agent} before`);
    assert.ok(now.server <= before.server, `${now.server} files in the server, ${before.server} before`);
    return now;
  });
}
