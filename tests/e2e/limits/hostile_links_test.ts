/**
 * Purpose: an agent with a valid certificate that dials links without end takes no place from others, also from those
 * that share another certificate, and one that joins the session of another certificate, with whatever id, learns
 * nothing and changes nothing.
 */
import assert from "node:assert/strict";
import { honestTraffic, startEcho } from "../../support/attacks/honest_traffic.ts";
import { connectHostile } from "../../support/attacks/hostile_agent.ts";
import { eventually } from "../../support/eventually.ts";
import type { RawPeer } from "../../support/mux/raw_peer.ts";
import { Chain } from "../../support/programs/chain.ts";
import { health } from "../../support/programs/status.ts";
import { within } from "../../support/within.ts";

const MAX_CONNECTIONS = 8;
const DIALS = 60;

function newKey(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

/** The answer to a `hello`: its type, or the code of a refusal. */
async function answerTo(peer: RawPeer, hello: object): Promise<string> {
  peer.hello(hello);
  await eventually("an answer", () => assert.ok(peer.frames.length > 0));
  const { type, payload } = peer.frames[0]!;
  return type === "goaway" ? payload.code : type;
}

async function close(peers: readonly RawPeer[]): Promise<void> {
  for (const peer of peers) peer.abort();
  await within(10_000, Promise.all(peers.map(({ closed }) => closed)), "the connections close");
}

Deno.test("links without end take no more than max_connections, and give way to another session's first", async () => {
  await using chain = await Chain.prepare({ server: { max_connections: MAX_CONNECTIONS } });
  await chain.startServer();
  await using echo = startEcho();
  const session = newKey();
  const peers: RawPeer[] = [];
  const answers: string[] = [];
  const dial = async () => {
    // None is silent, or else it would give way to the next.
    for (const peer of peers) peer.send("ping", { nonce: answers.length });
    const peer = await connectHostile(chain);
    peers.push(peer);
    answers.push(await answerTo(peer, { session, join: answers.length > 0 }));
  };
  for (let i = 0; i < DIALS; i++) await dial();
  assert.deepEqual(answers.slice(0, MAX_CONNECTIONS), Array(MAX_CONNECTIONS).fill("hello"));
  assert.deepEqual(new Set(answers.slice(MAX_CONNECTIONS)), new Set(["limit_reached"]));
  assert.equal((await health(chain)).connections, MAX_CONNECTIONS);

  await chain.startAgent();
  const honest = honestTraffic(chain, echo.host);
  await eventually("the honest agent is served", () => assert.ok(honest.rounds() > 2));
  for (let i = 0; i < DIALS; i++) await dial();
  const before = honest.rounds();
  await eventually("it still is", () => assert.ok(honest.rounds() > before + 2));
  const { connections, agents } = await health(chain);
  assert.ok(connections <= MAX_CONNECTIONS, `${connections} connections`);
  assert.equal(agents, 2, "only links gave way, no session");
  assert.ok(await honest.stop() > 4);
  await close(peers);
  await chain.finish();
});

Deno.test("further links of one session end no session of machines that share another certificate", async () => {
  await using chain = await Chain.prepare({ server: { max_connections: 20 } });
  await chain.startServer();
  const begin = async (name: string, session = newKey()) => {
    const peer = await connectHostile(chain, name);
    assert.equal(await answerTo(peer, { session, join: false }), "hello");
    return peer;
  };
  const machines: RawPeer[] = [];
  for (let i = 0; i < 15; i++) machines.push(await begin("shared"));
  const session = newKey();
  const bulk = [await begin("bulk", session)];
  const answers: string[] = [];
  for (let i = 0; i < 9; i++) {
    for (const peer of bulk) peer.send("ping", { nonce: i });
    const peer = await connectHostile(chain, "bulk");
    answers.push(await answerTo(peer, { session, join: true }));
    bulk.push(peer);
  }
  assert.deepEqual(answers, [...Array(4).fill("hello"), ...Array(5).fill("limit_reached")]);
  // A sixteenth machine takes the place of the newest further link.
  machines.push(await begin("shared"));
  await within(5_000, bulk[4]!.closed, "the newest further link is closed");
  for (const machine of [...machines, ...bulk.slice(0, 4)]) await machine.settled();
  const { connections, agents } = await health(chain);
  assert.deepEqual([connections, agents], [20, 17]);
  await close([...machines, ...bulk]);
  await chain.startAgent();
  await chain.finish();
});

Deno.test("a session gets no ninth link", async () => {
  await using chain = await Chain.start();
  const session = newKey();
  const peers: RawPeer[] = [];
  const answers: string[] = [];
  for (let i = 0; i < 12; i++) {
    for (const peer of peers) peer.send("ping", { nonce: i });
    const peer = await connectHostile(chain);
    peers.push(peer);
    answers.push(await answerTo(peer, { session, join: i > 0 }));
  }
  assert.deepEqual(answers, [...Array(8).fill("hello"), ...Array(4).fill("limit_reached")]);
  await close(peers);
  await chain.finish();
});

Deno.test("a session cannot be joined with another certificate, nor with an id that is not quite its own", async () => {
  await using chain = await Chain.start();
  const session = newKey();
  const owner = await connectHostile(chain, "owner");
  assert.equal(await answerTo(owner, { session, join: false }), "hello");
  const other = `${session.slice(0, -1)}${session.endsWith("0") ? "1" : "0"}`;
  const tries = [
    { name: "stranger", id: session, answer: "session_unknown" },
    { name: "stranger", id: other, answer: "session_unknown" },
    { name: "owner", id: other, answer: "session_unknown" },
    { name: "owner", id: session.slice(1), answer: "protocol_violation" },
    { name: "owner", id: session, answer: "hello" },
  ];
  const peers = [owner];
  for (const { name, id, answer } of tries) {
    const peer = await connectHostile(chain, name);
    peers.push(peer);
    assert.equal(await answerTo(peer, { session: id, join: true }), answer, `${name} with ${id}`);
  }
  // The same id may be that of a session of another certificate.
  const stranger = await connectHostile(chain, "stranger");
  peers.push(stranger);
  assert.equal(await answerTo(stranger, { session, join: false }), "hello");
  stranger.send("goaway", { code: "internal", last_stream: 0 });
  await within(5_000, stranger.closed, "the stranger's session ends");
  await owner.settled();
  await close(peers);
  await chain.finish();
});
