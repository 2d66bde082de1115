import assert from "node:assert/strict";
import { connect, createServer, Socket } from "node:net";
import { eventually } from "../../tests/support/eventually.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { within } from "../../tests/support/within.ts";
import { AcceptWatch } from "./accept_watch.ts";

/** A watch over `port`, with all that it did. */
function watchOver(port: number) {
  const clock = new ManualClock();
  const probes: Socket[] = [];
  const seen = { stalls: 0 };
  const watch = new AcceptWatch({
    clock,
    connect() {
      const probe = connect(port, "127.0.0.1");
      probes.push(probe);
      return probe;
    },
    stalled: () => void seen.stalls++,
  });
  const closed = () => within(5_000, Promise.all(probes.map(closing)), "the probes close");
  return { clock, probes, seen, watch, closed };
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.closed ? resolve() : socket.once("close", () => resolve()));
}

const connected = (socket: Socket) =>
  within(5_000, new Promise<void>((resolve) => socket.once("connect", () => resolve())), "a probe connects");

Deno.test("AcceptWatch finds a port that is open and takes nobody, asking every second from then on", async () => {
  using deaf = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { clock, probes, seen, watch, closed } = watchOver(deaf.addr.port);
  clock.advance(4_999);
  assert.equal(probes.length, 0);
  clock.advance(1);
  await connected(probes[0]!);
  clock.advance(999);
  assert.equal(seen.stalls, 0);
  clock.advance(1);
  assert.equal(seen.stalls, 1);
  clock.advance(1_000);
  assert.equal(probes.length, 2);
  watch.stop();
  await closed();
  assert.equal(clock.timers, 0);
});

Deno.test("AcceptWatch keeps its own connection from its owner, and hands others on", async () => {
  const taken: Socket[] = [];
  const server = createServer((socket) => watching.watch.arrived(socket, () => void taken.push(socket)));
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port))
  );
  const watching = watchOver(port);
  const { clock, probes, seen, watch, closed } = watching;
  clock.advance(5_000);
  const client = connect(port, "127.0.0.1");
  await closed();
  await eventually("the client is handed on", () => assert.equal(taken.length, 1));
  assert.equal(taken[0]!.remotePort, client.localPort);
  clock.advance(4_999);
  assert.deepEqual([probes.length, seen.stalls], [1, 0]);
  watch.stop();
  client.destroy();
  taken[0]!.destroy();
  await within(5_000, new Promise<void>((resolve) => server.close(() => resolve())), "the server closes");
});

Deno.test("AcceptWatch asks nothing while somebody comes, and soon when there is doubt", () => {
  const { clock, probes, watch } = watchOver(9);
  clock.advance(3_000);
  watch.arrived({} as Socket, () => {});
  clock.advance(4_999);
  assert.equal(probes.length, 0, "5 s of silence are not over");
  watch.doubt();
  clock.advance(500);
  watch.arrived({} as Socket, () => {});
  clock.advance(999);
  assert.equal(probes.length, 0, "somebody came after the doubt");
  watch.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("AcceptWatch tells of a port where nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { clock, probes, seen, watch, closed } = watchOver(listener.addr.port);
  listener.close();
  clock.advance(5_000);
  await closed();
  assert.deepEqual([probes.length, seen.stalls], [1, 1]);
  watch.stop();
});

Deno.test("AcceptWatch hands a crowd on that comes while its own connection is under way", () => {
  const clock = new ManualClock();
  const probe = new Socket();
  const watch = new AcceptWatch({ clock, connect: () => probe, stalled: () => assert.fail("stalled") });
  clock.advance(5_000);
  const taken: number[] = [];
  for (let client = 0; client < 8; client++) watch.arrived(new Socket(), () => void taken.push(client));
  assert.deepEqual(taken, [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.ok(probe.destroyed);
  watch.stop();
  assert.equal(clock.timers, 0);
});
