import assert from "node:assert/strict";
import { connect, createServer, Socket } from "node:net";
import { eventually } from "../../tests/support/eventually.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { within } from "../../tests/support/within.ts";
import { AcceptProbe } from "./accept_probe.ts";

/** A probe of `port`, with everything that it did. */
function probePort(port: number) {
  const clock = new ManualClock();
  const probes: Socket[] = [];
  const seen = { stalls: 0 };
  const acceptProbe = new AcceptProbe({
    clock,
    connect() {
      const probe = connect(port, "127.0.0.1");
      probes.push(probe);
      return probe;
    },
    stalled: () => void seen.stalls++,
  });
  const closed = () => within(5_000, Promise.all(probes.map(closing)), "the probes close");
  return { clock, probes, seen, acceptProbe, closed };
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.closed ? resolve() : socket.once("close", () => resolve()));
}

const connected = (socket: Socket) =>
  within(5_000, new Promise<void>((resolve) => socket.once("connect", () => resolve())), "a probe connects");

Deno.test("AcceptProbe finds an open port that accepts nothing, and probes every second from then on", async () => {
  using stalled = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { clock, probes, seen, acceptProbe, closed } = probePort(stalled.addr.port);
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
  acceptProbe.stop();
  await closed();
  assert.equal(clock.timers, 0);
});

Deno.test("AcceptProbe hides its own connection and passes on the others", async () => {
  const taken: Socket[] = [];
  const server = createServer((socket) => probing.acceptProbe.arrived(socket, () => void taken.push(socket)));
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port))
  );
  const probing = probePort(port);
  const { clock, probes, seen, acceptProbe, closed } = probing;
  clock.advance(5_000);
  const client = connect(port, "127.0.0.1");
  await closed();
  await eventually("the client is handed on", () => assert.equal(taken.length, 1));
  assert.equal(taken[0]!.remotePort, client.localPort);
  clock.advance(4_999);
  assert.deepEqual([probes.length, seen.stalls], [1, 0]);
  acceptProbe.stop();
  client.destroy();
  taken[0]!.destroy();
  await within(5_000, new Promise<void>((resolve) => server.close(() => resolve())), "the server closes");
});

Deno.test("AcceptProbe does not probe while clients connect, and probes soon when in doubt", () => {
  const { clock, probes, acceptProbe } = probePort(9);
  clock.advance(3_000);
  acceptProbe.arrived({} as Socket, () => {});
  clock.advance(4_999);
  assert.equal(probes.length, 0, "5 s of silence are not over");
  acceptProbe.doubt();
  clock.advance(500);
  acceptProbe.arrived({} as Socket, () => {});
  clock.advance(999);
  assert.equal(probes.length, 0, "a client connected after the doubt");
  acceptProbe.stop();
  assert.equal(clock.timers, 0);
});

Deno.test("AcceptProbe reports a port that nothing listens on", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { clock, probes, seen, acceptProbe, closed } = probePort(listener.addr.port);
  listener.close();
  clock.advance(5_000);
  await closed();
  assert.deepEqual([probes.length, seen.stalls], [1, 1]);
  acceptProbe.stop();
});

Deno.test("AcceptProbe passes on a burst that arrives during its own connection", () => {
  const clock = new ManualClock();
  const probe = new Socket();
  const acceptProbe = new AcceptProbe({ clock, connect: () => probe, stalled: () => assert.fail("stalled") });
  clock.advance(5_000);
  const taken: number[] = [];
  for (let client = 0; client < 8; client++) acceptProbe.arrived(new Socket(), () => void taken.push(client));
  assert.deepEqual(taken, [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.ok(probe.destroyed);
  acceptProbe.stop();
  assert.equal(clock.timers, 0);
});
