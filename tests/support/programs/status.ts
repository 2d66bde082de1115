import assert from "node:assert/strict";
import type { SessionStatus } from "../../../agent/console/link_status.ts";
import type { TrustReport } from "../../../shared/pki/identity/trust_report.ts";
import type { Chain } from "./chain.ts";
import { eventually } from "../eventually.ts";

/** The server's answer to `GET /health`. */
export interface Health extends TrustReport {
  readonly state: string;
  readonly connections: number;
  readonly agents: number;
  readonly streams: number;
  readonly sessions: number;
  readonly waiting_sessions: number;
  readonly links: number;
  readonly resumptions: number;
  readonly resent_bytes: number;
}

/** The agent's answer to `GET /status`. */
export interface AgentStatus extends TrustReport {
  readonly state: string;
  readonly connections: number;
  readonly streams: number;
  readonly direct_streams: number;
  readonly clients: number;
  readonly eager: boolean;
  readonly reached_hosts: number;
  readonly early_answers: number;
  readonly early_failures: number;
  readonly sessions: readonly SessionStatus[];
  readonly resumptions: number;
  readonly resent_bytes: number;
  readonly fleet?: string;
  readonly error?: string;
}

/** Fetches the server's health. */
export function health(chain: Chain): Promise<Health> {
  return json(`http://127.0.0.1:${chain.healthPort}/health`);
}

/** Fetches the agent's status. */
export function agentStatus(chain: Chain): Promise<AgentStatus> {
  return json(`http://127.0.0.1:${chain.consolePort}/status`);
}

/** Waits until neither program has a stream, and the agent has no client. */
export async function assertIdle(chain: Chain): Promise<void> {
  await eventually("no stream in the agent", async () => {
    const { streams, direct_streams, clients } = await agentStatus(chain);
    assert.deepEqual({ streams, direct_streams, clients }, { streams: 0, direct_streams: 0, clients: 0 });
  });
  await eventually("no stream in the server", async () => {
    assert.equal((await health(chain)).streams, 0);
  });
}

/** Stops both programs and asserts that they exit with 0, leave no connection and free their ports. */
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
  // A new connection each time: a kept one would look like a leak to the sanitizers.
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(url, { client, signal: AbortSignal.timeout(5000) });
  assert.equal(response.status, 200, `status of ${url}`);
  return await response.json();
}
