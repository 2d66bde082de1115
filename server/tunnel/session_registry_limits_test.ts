import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import type { RawPeer } from "../../tests/support/mux/raw_peer.ts";
import { leave, lose, RegistryScene } from "../../tests/support/mux/registry_scene.ts";
import type { SessionEnd } from "../../tests/support/mux/session_pair.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { within } from "../../tests/support/within.ts";

Deno.test("session registry evicts the least important connection of the certificate with the most", async () => {
  const scene = new RegistryScene(5);
  const { registry, refusals, clock } = scene;
  const open = ({ session }: SessionEnd) =>
    session.open({ type: "connect_request", payload: { host: "a", port: 1 } });
  const single = await scene.connect("greedy", "single");
  const busySingle = await scene.connect("greedy", "busy single");
  const [busyExtra, extra] = [
    await scene.connect("greedy", "double"),
    await scene.connect("greedy", "double"),
  ];
  const alone = await scene.connect("other", "alone");
  open(busySingle);
  open(busyExtra);
  await eventually("both streams are open", () => assert.equal(registry.streamCount, 2));
  const gone: string[] = [];
  for (const [name, { closed }] of Object.entries({ single, busySingle, busyExtra, extra, alone })) {
    void closed.then((error) => gone.push(`${name}: ${error?.code}`));
  }
  const newcomers = [await scene.connect("third", "1")];
  await within(5_000, extra.closed, "the idle one of an agent with two is evicted");
  newcomers.push(await scene.connect("fourth", "1"));
  await within(5_000, single.closed, "the idle one is evicted");
  assert.deepEqual(gone, ["extra: limit_reached", "single: limit_reached"]);
  assert.equal(registry.connectionCount, 5);
  assert.equal(registry.figures().connections.evicted, 2);
  for (const agent of [busySingle, busyExtra, alone, ...newcomers]) await leave(agent);
  refusals.flush();
  assert.deepEqual([registry.connectionCount, clock.timers], [0, 0]);
});

Deno.test("session registry has room at once after it cuts an agent off, however long that one takes to leave", async () => {
  const scene = new RegistryScene(1);
  const { registry, clock } = scene;
  const [stubborn, pending] = [await scene.link("", {}), scene.dial("")];
  const revoked = new SallyportError("peer_rejected", "Cannot keep the connection: it was revoked");
  registry.revalidate(() => revoked);
  const { connections, pending: { used }, closing } = registry.figures();
  assert.deepEqual([connections.used, used, closing.used], [0, 0, 2]);
  const agent = await scene.connect("other", "");
  assert.equal(registry.connectionCount, 1);
  for (const peer of [stubborn, pending]) {
    assert.equal((await peer.next("goaway")).payload["code"], "peer_rejected");
  }
  clock.advance(1_000);
  await leave(agent);
  assert.equal(registry.figures().closing.used, 0);
});

Deno.test("session registry logs a bounded number of refusals and evictions, and counts the rest", async () => {
  const scene = new RegistryScene(2);
  const { log, refusals, registry, clock } = scene;
  const agents = [await scene.connect("greedy", ""), await scene.connect("greedy", "")];
  for (let i = 0; i < 40; i++) {
    const peer = scene.dial("greedy");
    peer.hello();
    await peer.next("goaway");
    peer.abort();
  }
  // One of another certificate takes a connection, and so does one of a third.
  agents.push(await scene.connect("other", ""));
  const honest = scene.dial("honest");
  honest.hello();
  assert.equal((await honest.next("goaway")).payload["code"], "limit_reached");
  honest.abort();
  const count = (message: string) => log.notes.filter((note) => note.message === message).length;
  assert.equal(count("agent refused"), 11, "ten of the greedy one, and the one of another");
  assert.equal(count("agent evicted"), 1);
  refusals.flush();
  assert.deepEqual(log.notes.at(-1)?.fields, { refusals: 30, kinds: "client limit_reached 30" });
  await within(5_000, agents.shift()!.closed, "the first of the greedy ones was evicted");
  for (const agent of agents) await leave(agent);
  assert.deepEqual([registry.connectionCount, clock.timers], [0, 0]);
});

Deno.test("session registry counts agents with the same id and different certificates separately", async () => {
  const scene = new RegistryScene(4);
  const { registry } = scene;
  const agents = [
    await scene.connect("one", "id"),
    await scene.connect("one", "id"),
    await scene.connect("two", "id"),
  ];
  assert.equal(registry.agentCount, 2);
  for (const agent of agents) await leave(agent);
  assert.equal(registry.agentCount, 0);
});

Deno.test("session registry refuses the oldest connection without a hello of the certificate with the most", async () => {
  const scene = new RegistryScene(5);
  const modest = scene.dial("modest");
  const greedy: RawPeer[] = [];
  for (let i = 0; i < 40; i++) greedy.push(scene.dial("greedy"));
  const { pending, connections } = scene.registry.figures();
  assert.deepEqual([pending.used, pending.largestShare, pending.evicted, connections.used], [32, 31, 9, 0]);
  assert.equal((await greedy[8]!.next("goaway")).payload["code"], "limit_reached");
  modest.hello();
  await modest.next("hello");
  assert.deepEqual([greedy[9]!.frames, scene.registry.figures().connections.used], [[], 1]);
  scene.clock.advance(10_000);
  for (const peer of greedy) await within(5_000, peer.closed, "it is closed without a hello");
  await lose(modest);
  scene.refusals.flush();
  const { pending: { used }, closing } = scene.registry.figures();
  assert.deepEqual([used, closing.used, scene.logged("agent refused")], [0, 0, 9]);
});

Deno.test("session registry gives a connection no place before its hello, nor when that is refused", async () => {
  const scene = new RegistryScene(2);
  const session = "0".repeat(32);
  const first = await scene.link("", { session });
  const [silent, unknown, again] = [scene.dial(""), scene.dial(""), scene.dial("")];
  unknown.hello({ join: true });
  again.hello({ session });
  assert.equal((await unknown.next("goaway")).payload["code"], "session_unknown");
  assert.equal((await again.next("goaway")).payload["code"], "protocol_violation");
  const second = await scene.link("", {});
  const { used, refused } = scene.registry.figures().connections;
  assert.deepEqual([used, refused], [2, 0]);
  for (const peer of [silent, first, second]) await lose(peer);
  await eventually("all are closed", () => assert.equal(scene.registry.figures().pending.used, 0));
});

Deno.test("session registry replaces a link whose path is gone without a moment in which the session waits (SPEC 3.9)", async () => {
  const scene = new RegistryScene(1, { resumeTimeout: 60_000 });
  const session = "0".repeat(32);
  const first = await scene.needed("", session);
  const second = scene.dial("");
  second.hello({ session, join: true });
  assert.equal((await second.next("goaway")).payload["code"], "limit_reached", "the first is not silent");
  scene.clock.advance(1_000);
  const third = await scene.link("", { session, join: true });
  await within(5_000, first.closed, "the first is cut");
  await third.settled();
  assert.deepEqual([scene.registry.connectionCount, scene.registry.streamCount], [1, 1]);
  assert.deepEqual([scene.logged("agent lost its connection"), scene.logged("agent resumed")], [0, 0]);
  third.send("goaway", { code: "internal", last_stream: 0 });
  await within(5_000, third.closed, "the session ends");
  scene.refusals.flush();
});
