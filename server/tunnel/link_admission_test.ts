import assert from "node:assert/strict";
import type { Link } from "../../shared/mux/link/link.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { AgentConnection, AgentSession } from "./agent_session.ts";
import { LinkAdmission } from "./link_admission.ts";

/** Places, sessions whose links do nothing, and the names of what gave way. */
class Scene {
  readonly admission: LinkAdmission;
  /** Sessions that were ended. */
  readonly ended: string[] = [];
  readonly #cut: string[] = [];
  readonly #costs = new Map<AgentSession, number>();
  readonly #silences = new Map<AgentConnection, number>();

  constructor(total: number) {
    this.admission = new LinkAdmission({
      total,
      costOf: (agent) => this.#costs.get(agent) ?? 0,
      evict: (agent, { code }) => void this.ended.push(`${agent.agentId}: ${code}`),
    });
  }

  /** A session of a certificate, with this many links. */
  session(identity: string, name: string, links = 0, cost = 0): AgentSession {
    const agent = new AgentSession({ identity } as Peer, { agentId: name, key: "" });
    agent.session = { state: "open" } as Session;
    this.#costs.set(agent, cost);
    for (let i = 0; i < links; i++) assert.equal(this.dial(agent), "admitted");
    return agent;
  }

  /** A further link of a session. Returns how that ended. */
  dial(agent: AgentSession): string {
    const connection = new AgentConnection(agent.peer, {} as Transport);
    const name = `${agent.agentId}${agent.connections.size + 1}`;
    const silence = () => this.#silences.get(connection) ?? 0;
    connection.link = {
      cut: () => this.#cut.push(name),
      get silence() {
        return silence();
      },
    } as unknown as Link;
    const refusal = this.admission.admit(agent, connection);
    return refusal === undefined ? "admitted" : refusal.message;
  }

  /** A link of a session has been silent for this many milliseconds. */
  silence(agent: AgentSession, index: number, ms: number): void {
    this.#silences.set([...agent.connections][index]!, ms);
  }

  /** Links that were cut. */
  async cut(): Promise<string[]> {
    await Promise.resolve();
    return this.#cut.splice(0);
  }
}

const FULL = (total: number) =>
  `Cannot accept the agent: all connections are taken (max_connections is ${total})`;
const ENOUGH = "Cannot add a connection: the session has 8";

Deno.test("link admission lets a join end no session of another certificate, however many those are (SPEC 3.4)", async () => {
  const scene = new Scene(20);
  for (let i = 0; i < 15; i++) scene.session("shared", `machine ${i}, `, 1);
  const bulk = scene.session("other", "bulk", 5);
  for (let i = 0; i < 4; i++) assert.equal(scene.dial(bulk), FULL(20));
  assert.deepEqual([scene.ended, await scene.cut()], [[], []]);
  assert.deepEqual(scene.admission.figures(), {
    ...{ total: 20, used: 20, largestShare: 15 },
    ...{ refused: 4, evicted: 0 },
  });
});

Deno.test("link admission gives a new session the newest further link, also of its own certificate (SPEC 3.4)", async () => {
  const scene = new Scene(8);
  scene.session("shared", "single", 1);
  const bulk = scene.session("shared", "bulk", 7);
  assert.equal(scene.dial(scene.session("shared", "new")), "admitted");
  assert.equal(scene.dial(scene.session("other", "third")), "admitted");
  assert.deepEqual([scene.ended, await scene.cut()], [[], ["bulk7", "bulk6"]]);
  assert.equal(bulk.connections.size, 5);
  assert.deepEqual([scene.admission.count, scene.admission.figures().evicted], [8, 2]);
});

Deno.test("link admission never cuts both links of a session, even within one event (SPEC 3.4)", async () => {
  const scene = new Scene(4);
  scene.session("greedy", "double", 2);
  scene.session("greedy", "first", 1, 3);
  scene.session("greedy", "second", 1, 1);
  assert.equal(scene.dial(scene.session("a", "a")), "admitted");
  assert.equal(scene.dial(scene.session("b", "b")), "admitted");
  assert.deepEqual([scene.ended, await scene.cut()], [["double: limit_reached"], ["double2"]]);
});

Deno.test("link admission ends the cheapest session of the certificate with clearly the most, without further links", () => {
  const scene = new Scene(4);
  for (const [name, cost] of [["busy", 3], ["idle", 1], ["idle too", 1]] as const) {
    scene.session("greedy", name, 1, cost);
  }
  scene.session("other", "other", 1);
  assert.equal(scene.dial(scene.session("greedy", "more")), FULL(4));
  assert.equal(scene.dial(scene.session("third", "third")), "admitted");
  assert.deepEqual(scene.ended, ["idle: limit_reached"]);
  assert.equal(scene.dial(scene.session("other", "second")), FULL(4), "two and two would only swap");
});

Deno.test("link admission gives a certificate with clearly fewer a further link of the one with the most", async () => {
  const scene = new Scene(8);
  scene.session("greedy", "greedy", 6);
  const modest = scene.session("modest", "modest", 2);
  assert.deepEqual([scene.dial(modest), scene.dial(modest), scene.dial(modest)], [
    "admitted",
    "admitted",
    FULL(8),
  ]);
  assert.deepEqual(await scene.cut(), ["greedy6", "greedy5"]);
});

Deno.test("link admission lets a session that waits back in like a new one (SPEC 3.7)", async () => {
  const scene = new Scene(3);
  const waiting = scene.session("shared", "waiting");
  scene.session("shared", "bulk", 3);
  assert.equal(scene.dial(waiting), "admitted");
  assert.deepEqual(await scene.cut(), ["bulk3"]);
});

Deno.test("link admission refuses the ninth link of a session, unless one of its own is silent (SPEC 3.9)", async () => {
  const scene = new Scene(20);
  const agent = scene.session("a", "link ", 8);
  scene.silence(agent, 5, 999);
  assert.equal(scene.dial(agent), ENOUGH);
  scene.silence(agent, 3, 1_000);
  scene.silence(agent, 5, 1_001);
  assert.equal(scene.dial(agent), "admitted");
  assert.deepEqual([await scene.cut(), agent.connections.size], [["link 6"], 8]);
});

Deno.test("link admission replaces the only link of a session whose path is gone, however full it is (SPEC 3.9)", async () => {
  const scene = new Scene(2);
  scene.session("a", "other", 1);
  const moved = scene.session("a", "moved", 1);
  assert.equal(scene.dial(moved), FULL(2));
  scene.silence(moved, 0, 2_000);
  assert.equal(scene.dial(moved), "admitted");
  assert.equal(moved.connections.size, 1);
  assert.deepEqual([await scene.cut(), scene.ended], [["moved1"], []]);
  assert.deepEqual(scene.admission.figures(), {
    ...{ total: 2, used: 2, largestShare: 2 },
    ...{ refused: 1, evicted: 0 },
  });
});

Deno.test("link admission frees a place once", () => {
  const scene = new Scene(2);
  const agent = scene.session("a", "a", 2);
  const [first] = agent.connections;
  assert.deepEqual([scene.admission.release(first!), scene.admission.release(first!)], [true, false]);
  assert.deepEqual([scene.admission.count, agent.connections.size], [1, 1]);
});
