import assert from "node:assert/strict";
import type { Transport } from "../../shared/mux/transport.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { AgentConnection, AgentSession } from "./agent_session.ts";

const PEER = { commonName: "laptop", serial: "1f", identity: "" } as Peer;

function session(): AgentSession {
  return new AgentSession(PEER, { agentId: "", key: "" });
}

function connect(agent: AgentSession, address: string): AgentConnection {
  const connection = new AgentConnection(PEER, { remotes: [address] } as unknown as Transport);
  agent.add(connection);
  return connection;
}

Deno.test("AgentSession lists for a stream the addresses of connections that were open then or came later", () => {
  const agent = session();
  const gone = connect(agent, "192.0.2.1:1");
  connect(agent, "192.0.2.1:2");
  agent.connections.delete(gone);
  const first = agent.use();
  assert.deepEqual(first.from, ["192.0.2.1:2"]);
  connect(agent, "192.0.2.9:3");
  connect(agent, "192.0.2.9:3");
  const second = agent.use();
  agent.connections.clear();
  connect(agent, "192.0.2.9:4");
  assert.deepEqual(first.from, ["192.0.2.1:2", "192.0.2.9:3", "192.0.2.9:4"]);
  assert.deepEqual(second.from, ["192.0.2.1:2", "192.0.2.9:3", "192.0.2.9:4"]);
  assert.deepEqual(agent.use().from, ["192.0.2.9:4"]);
});

Deno.test("AgentSession lists the latest 100 addresses of a stream", () => {
  const agent = session();
  connect(agent, "192.0.2.1:1");
  const use = agent.use();
  for (let port = 2; port <= 100; port++) connect(agent, `192.0.2.1:${port}`);
  assert.deepEqual([use.from.length, use.from[0]], [100, "192.0.2.1:1"]);
  connect(agent, "192.0.2.1:101");
  assert.deepEqual([use.from.length, use.from[0], use.from[99]], [100, "192.0.2.1:2", "192.0.2.1:101"]);
});

Deno.test("AgentSession counts for a stream the resumptions since it began", () => {
  const agent = session();
  agent.resumptions = 3;
  const use = agent.use();
  assert.equal(use.resumptions, 0);
  agent.resumptions++;
  assert.equal(use.resumptions, 1);
});
