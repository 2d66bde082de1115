import assert from "node:assert/strict";
import { leave, lose, RegistryScene } from "../../tests/support/mux/registry_scene.ts";
import { eventually } from "../../tests/support/eventually.ts";

Deno.test("agent notices send the number of agents to a new agent at once, and to the others a little later", async () => {
  const scene = new RegistryScene(10);
  const { registry, clock } = scene;
  const stayTold = async (count: number, expected: number[][]) => {
    await eventually("all are counted", () => assert.equal(registry.agentCount, count));
    clock.advance(100);
    await eventually("they are notified", () => assert.deepEqual(told(), expected));
  };
  const stay = [await scene.connect("one", "first"), await scene.connect("one", "second")];
  const brief = [await scene.connect("two", "a"), await scene.connect("two", "b")];
  const told = () => stay.map(({ status }) => status.map(({ agents }) => agents));
  await eventually("each was notified", () => {
    assert.deepEqual(brief.map(({ status }) => status[0]?.agents), [3, 4]);
    assert.deepEqual(told(), [[1], [2]]);
  });
  await leave(brief[0]!);
  await stayTold(3, [[1, 3], [2, 3]]);
  await leave(await scene.connect("two", "c"));
  await stayTold(3, [[1, 3], [2, 3]]);
  await leave(brief[1]!);
  await stayTold(2, [[1, 3, 2], [2, 3, 2]]);
  for (const agent of stay) await leave(agent);
  await eventually("all are gone", () => assert.equal(registry.agentCount, 0));
  assert.equal(clock.timers, 0);
});

Deno.test("agent notices wait for a session without a connection, and send it the newest number (SPEC 3.7)", async () => {
  const scene = new RegistryScene(10, { resumeTimeout: 60_000 });
  const session = "0".repeat(32);
  const first = await scene.needed("waits", session);
  assert.deepEqual(first.all("status").map(({ payload }) => payload["agents"]), [1]);
  await lose(first);
  for (let i = 0; i < 5; i++) {
    const other = await scene.connect("other", "a");
    scene.clock.advance(100);
    await leave(other);
    scene.clock.advance(100);
  }
  const stays = await scene.connect("other", "b");
  scene.clock.advance(100);
  const second = await scene.link("waits", { session, join: true });
  await second.settled();
  assert.deepEqual(second.all("status").map(({ payload }) => payload["agents"]), [1, 2], "the newest last");
  second.send("ack", { bytes: second.received });
  await second.settled();
  await lose(second);
  const third = await scene.link("waits", { session, join: true });
  await third.settled();
  assert.deepEqual(third.all("status"), [], "it knows the number");
  third.send("goaway", { code: "internal", last_stream: 0 });
  await lose(third);
  await leave(stays);
});

Deno.test("agent notices that are out of date are not sent again when a link is lost (SPEC 3.7)", async () => {
  const scene = new RegistryScene(10, { resumeTimeout: 60_000 });
  const session = "0".repeat(32);
  const first = await scene.needed("", session);
  const other = await scene.connect("other", "");
  scene.clock.advance(100);
  await first.settled();
  const second = await scene.link("", { session, join: true });
  await lose(first);
  await second.settled();
  const agents = [first, second].map((peer) => peer.all("status").map(({ payload }) => payload["agents"]));
  assert.deepEqual(agents, [[1, 2], [2]]);
  second.send("goaway", { code: "internal", last_stream: 0 });
  await lose(second);
  await leave(other);
});
