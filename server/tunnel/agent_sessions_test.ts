import assert from "node:assert/strict";
import type { Session } from "../../shared/mux/session/session.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { AgentSession } from "./agent_session.ts";
import { AgentSessions } from "./agent_sessions.ts";

const KEY = "0".repeat(32);

/** A session that is open, or over. */
function session(identity: string, { agentId = "", key = KEY, state = "open" } = {}): AgentSession {
  const agent = new AgentSession({ identity } as Peer, { agentId, key });
  agent.session = { state, figures: { links: [], resumptions: 0, resentBytes: 0 } } as unknown as Session;
  return agent;
}

Deno.test("agent sessions find a session by certificate and id, unless it is over (SPEC 3.6)", () => {
  const sessions = new AgentSessions();
  const [mine, other] = [session("one"), session("two")];
  for (const each of [mine, other]) sessions.add(each);
  assert.equal(sessions.find("one", KEY), mine);
  assert.equal(sessions.find("two", KEY), other);
  assert.equal(sessions.find("three", KEY), undefined);
  assert.equal(sessions.find("one", "1".repeat(32)), undefined);
  mine.session = { state: "closed" } as Session;
  assert.equal(sessions.find("one", KEY), undefined);
});

Deno.test("agent sessions keep a session whose id was that of one that is over and still closing", () => {
  const sessions = new AgentSessions();
  const [over, again] = [session("one", { state: "closed" }), session("one")];
  for (const each of [over, again]) sessions.add(each);
  sessions.remove(over);
  sessions.remove(over);
  assert.deepEqual([sessions.find("one", KEY), sessions.size, sessions.agentCount], [again, 1, 1]);
  sessions.remove(again);
  assert.deepEqual([sessions.find("one", KEY), sessions.size, sessions.agentCount], [undefined, 0, 0]);
});

Deno.test("agent sessions count sessions with the same agent id and certificate as one agent", () => {
  const sessions = new AgentSessions();
  const all = ["0", "1", "2", "3", "4"].map((digit, index) => {
    const [identity, agentId] = [index < 4 ? "one" : "two", index < 2 ? "" : "id"];
    return session(identity, { agentId, key: digit.repeat(32) });
  });
  for (const each of all) sessions.add(each);
  assert.deepEqual([sessions.agentCount, sessions.onlyClient], [4, undefined]);
  assert.deepEqual(all.map((each) => sessions.isOnlyOne(each)), [true, true, false, false, true]);
  sessions.remove(all.pop()!);
  assert.deepEqual([sessions.agentCount, sessions.onlyClient], [3, "one"]);
  for (const each of all) sessions.remove(each);
  assert.deepEqual([sessions.agentCount, sessions.onlyClient], [0, undefined]);
});
