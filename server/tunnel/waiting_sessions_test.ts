import assert from "node:assert/strict";
import { MemoryTransport } from "../../tests/support/mux/memory_transport.ts";
import { lose, RegistryScene } from "../../tests/support/mux/registry_scene.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { within } from "../../tests/support/within.ts";

const KEY = "0".repeat(32);

Deno.test("waiting sessions give up the oldest of the certificate with the most (SPEC 3.7)", async () => {
  const scene = new RegistryScene(3, { resumeTimeout: 60_000 });
  const { registry, clock } = scene;
  const keys = ["0", "1", "2", "3", "4", "5"].map((digit) => digit.repeat(32));
  for (const [index, session] of keys.entries()) {
    await lose(await scene.needed(index === 0 ? "modest" : "greedy", session));
  }
  assert.deepEqual([registry.streamCount, registry.figures().waiting.used], [3, 3]);
  for (const [index, session] of keys.entries()) {
    const peer = scene.dial(index === 0 ? "modest" : "greedy");
    peer.hello({ session, join: true });
    await eventually("an answer", () => assert.ok(peer.frames.length > 0));
    const isKept = index === 0 || index >= 4;
    assert.equal(peer.frames[0]!.type, isKept ? "hello" : "goaway", `session ${index}`);
    await lose(peer);
  }
  clock.advance(60_000);
  assert.deepEqual([registry.streamCount, registry.figures().waiting.used, clock.timers], [0, 0, 0]);
  await MemoryTransport.settled();
});

Deno.test("waiting sessions leave few lines in the log, however often an agent loses and resumes", async () => {
  const scene = new RegistryScene(3, { resumeTimeout: 60_000 });
  await lose(await scene.needed("busy", KEY));
  for (let i = 0; i < 30; i++) await lose(await scene.link("busy", { session: KEY, join: true }));
  await lose(await scene.needed("other", "1".repeat(32)));
  const counts = () => [scene.logged("agent lost its connection"), scene.logged("agent resumed")];
  assert.deepEqual(counts(), [11, 10], "ten of the busy one, and the one of another");
  scene.clock.advance(60_000);
  const note = scene.log.notes.find(({ message }) => message.startsWith("further events"));
  assert.deepEqual(note?.fields, { lines: 41, kinds: "agent lost its connection 21, agent resumed 20" });
  await MemoryTransport.settled();
  assert.deepEqual([scene.registry.streamCount, scene.clock.timers], [0, 0]);
});

Deno.test("waiting sessions end at once while the server drains, when the last connection is lost", async () => {
  const scene = new RegistryScene(3, { resumeTimeout: 60_000 });
  const peers = [await scene.needed("", KEY), await scene.link("", { session: KEY, join: true })];
  const drained = scene.registry.drain(60_000);
  await lose(peers[0]!);
  assert.equal(scene.registry.streamCount, 1, "it has another connection");
  await lose(peers[1]!);
  await within(5_000, drained, "the drain");
  assert.deepEqual([scene.registry.agentCount, scene.clock.timers], [0, 0]);
});
