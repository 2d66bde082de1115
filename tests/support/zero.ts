import assert from "node:assert/strict";
import type { TrustReport } from "../../shared/tls/trust_report.ts";
import type { Chain } from "./chain.ts";
import { eventually } from "./eventually.ts";

/** What the server tells at `GET /health`. */
export interface Health extends TrustReport {
  readonly state: string;
  readonly connections: number;
  readonly streams: number;
}

/** What the agent tells at `GET /status` of its console. */
export interface AgentStatus extends TrustReport {
  readonly state: string;
  readonly connections: number;
  readonly streams: number;
  readonly directStreams: number;
  readonly clients: number;
  readonly fleet?: string;
  readonly error?: string;
}

/** Asks the server how it is. */
export function health(chain: Chain): Promise<Health> {
  return json(`http://127.0.0.1:${chain.healthPort}/health`);
}

/** Asks the agent how it is. */
export function agentStatus(chain: Chain): Promise<AgentStatus> {
  return json(`http://127.0.0.1:${chain.consolePort}/status`);
}

/** Asserts that neither program has a stream, nor the agent a client; the last ends may still be under way. */
export async function assertQuiet(chain: Chain): Promise<void> {
  await eventually("no stream in the agent", async () => {
    const { streams, directStreams, clients } = await agentStatus(chain);
    assert.deepEqual({ streams, directStreams, clients }, { streams: 0, directStreams: 0, clients: 0 });
  });
  await eventually("no stream in the server", async () => {
    assert.equal((await health(chain)).streams, 0);
  });
}

/** Stops both programs and asserts that they end well, leave no connection behind and free their ports. */
export async function assertStopped(chain: Chain): Promise<void> {
  assert.equal(
    (await chain.agent.stop()).code,
    0,
    `exit code of the agent; it wrote:\n${chain.agent.log.text}`,
  );
  await eventually("no connection in the server", async () => {
    const { connections, streams } = await health(chain);
    assert.deepEqual({ connections, streams }, { connections: 0, streams: 0 });
  });
  assert.equal(
    (await chain.server.stop()).code,
    0,
    `exit code of the server; it wrote:\n${chain.server.log.text}`,
  );
  for (const port of [chain.proxyPort, chain.consolePort, chain.serverPort, chain.healthPort]) {
    assertFree(port);
  }
}

/** Asserts that a port of 127.0.0.1 can be listened on. */
export function assertFree(port: number): void {
  assert.doesNotThrow(() => Deno.listen({ hostname: "127.0.0.1", port }).close(), `port ${port} is free`);
}

async function json<T>(url: string): Promise<T> {
  // A connection of its own each time: a kept one would look like a leak to the sanitizers.
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(url, { client, signal: AbortSignal.timeout(5000) });
  assert.equal(response.status, 200, `status of ${url}`);
  return await response.json();
}
