import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { SallyportError } from "../../shared/errors.ts";
import { DescriptorHeadroom } from "../../shared/net/descriptor_headroom.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { readUntil, SocketOrigin } from "../../tests/support/origins/socket_origin.ts";
import type { ClientEntry } from "../../shared/clients/rules.ts";
import { ClientTargets } from "./client_targets.ts";
import { OwnPorts } from "../../shared/egress/rules/own_ports.ts";

const client = (commonName: string) => ({
  commonName,
  identity: commonName,
  names: { dns: [], uris: [] },
});

function targetsOf(clients: ClientEntry[], targets = { allow: ["127.0.0.1"], deny: ["127.0.0.2"] }) {
  const clientTargets = new ClientTargets({ targets, clients, ownPorts: new OwnPorts(), maxStreams: 1 });
  return { clientTargets, [Symbol.dispose]: () => clientTargets.destroy() };
}

/** Dials a target for a client; returns the result for a port where nothing listens. */
async function reach(clientTargets: ClientTargets, name: string, host: string): Promise<string> {
  const { dial, done } = clientTargets.begin(client(name), () => {});
  const error = await dial(host, 1).then(() => assert.fail(), (error) => error);
  done();
  return error.code === "target_denied" ? `no: ${error.cause}` : error.code;
}

Deno.test("client targets serve every client where clients.allow is empty", async () => {
  using of = targetsOf([]);
  assert.equal(await reach(of.clientTargets, "", "127.0.0.1"), "target_refused");
});

Deno.test("client targets use the first matching entry, and refuse clients without one", async () => {
  using of = targetsOf([
    { client: "cn:ci-*", targets: { allow: ["127.0.0.2", "127.0.0.3"], deny: ["127.0.0.4"] } },
    { client: "cn:*-1" },
  ]);
  const { clientTargets } = of;
  assert.equal(
    await reach(clientTargets, "ci-1", "127.0.0.3"),
    "target_refused",
    "its own list is open to it",
  );
  assert.equal(
    await reach(clientTargets, "ci-1", "127.0.0.1"),
    "no: default loopback: 127.0.0.1",
    "in its place",
  );
  assert.equal(
    await reach(clientTargets, "ci-1", "127.0.0.2"),
    "no: deny 127.0.0.2: 127.0.0.2",
    "always counts",
  );
  assert.equal(await reach(clientTargets, "ci-1", "127.0.0.4"), "no: deny 127.0.0.4: 127.0.0.4");
  assert.equal(await reach(clientTargets, "x-1", "127.0.0.1"), "target_refused");
  assert.equal(await reach(clientTargets, "x-1", "127.0.0.3"), "no: default loopback: 127.0.0.3");
  assert.equal(await reach(clientTargets, "x-2", "127.0.0.1"), "peer_rejected");
  assert.equal(clientTargets.refusalOf(client("x-1")), undefined);
  assert.equal(
    clientTargets.refusalOf(client("x-2"))?.message,
    "Cannot accept the agent: clients.allow on the server does not name this client",
  );
});

Deno.test("client targets keep the connections of clients apart, even under the same rules", () => {
  using of = targetsOf([]);
  const origins = (name: string) => of.clientTargets.begin(client(name), () => {}).origins;
  assert.equal(origins("a"), origins("a"));
  assert.notEqual(origins("a"), origins("b"));
});

Deno.test("client targets refuse a stream beyond the limit, and evict one client for another", async () => {
  using of = targetsOf([]);
  const { clientTargets } = of;
  const cut: number[] = [];
  const begin = (name: string, id: number) => clientTargets.begin(client(name), () => cut.push(id));
  const streams = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => begin("a", id));
  const refused = begin("a", 9);
  await assert.rejects(refused.dial("127.0.0.1", 1), { code: "limit_reached" });
  assert.notEqual(refused.origins, streams[0]!.origins, "no kept connection serves it either");
  refused.done();
  assert.equal(await reach(clientTargets, "b", "127.0.0.1"), "target_refused");
  assert.deepEqual(cut, [1]);
  assert.equal(await reach(clientTargets, "a", "127.0.0.1"), "target_refused", "there is room again");
  const { used, refused: times, evicted } = clientTargets.figures().streams;
  assert.deepEqual([used, times, evicted], [7, 1, 1]);
});

Deno.test("client targets evict the stream that has been idle for longest, not the oldest", () => {
  using of = targetsOf([]);
  const { clientTargets } = of;
  const cut: number[] = [];
  const streams = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => clientTargets.begin(client("a"), () => cut.push(id)));
  streams[0]!.active();
  streams[2]!.active();
  const others = ["b", "c", "d"].map((name) => clientTargets.begin(client(name), () => {}));
  assert.deepEqual(cut, [2, 4, 5]);
  streams[1]!.active();
  for (const { done } of [...streams, ...others]) done();
  assert.equal(clientTargets.figures().streams.used, 0, "an evicted stream is not counted again");
});

/** A process with room for `room` sockets to targets: a client with as many tunnels, and how to come as another. */
async function fullOf(room: number, body: (scene: Full) => Promise<void>): Promise<void> {
  await using origin = await SocketOrigin.start();
  const clock = new ManualClock();
  const open = new Set<Socket>();
  let looks = 0;
  // Descriptors are closed when a socket is, and opened a turn after the dial.
  const descriptors = new DescriptorHeadroom(
    clock,
    (count) => {
      looks++;
      return Math.min(count, room - open.size);
    },
    1,
    10,
  );
  const targets = { allow: ["127.0.0.1"], deny: ["127.0.0.2"] };
  const rest = { clients: [], ownPorts: new OwnPorts(), maxStreams: 1_000 };
  const clientTargets = new ClientTargets({ targets, ...rest, descriptors });
  const tunnels: Full["tunnels"][number][] = [];
  const tunnel = async (name: string, onCut: () => void, host = "127.0.0.1", port = origin.port) => {
    let socket: Socket | undefined;
    const record = { isCut: false, active: () => active() };
    tunnels.push(record);
    const { dial, active, done } = clientTargets.begin(client(name), () => {
      record.isCut = true;
      onCut();
      socket?.destroy();
      open.delete(socket!);
      done();
    });
    try {
      socket = await dial(host, port);
    } catch (error) {
      done();
      return (error as SallyportError).code;
    }
    open.add(socket);
    return "open";
  };
  let cut = 0;
  for (let i = 0; i < room; i++) assert.equal(await tunnel("victim", () => cut++), "open");
  clock.advance(1_000);
  looks = 0;
  try {
    await body({ tunnel, tunnels: tunnels.slice(), clock, cut: () => cut, looks: () => looks });
  } finally {
    for (const socket of open) socket.destroy();
    clientTargets.destroy();
  }
}

interface Full {
  /** Those of the victim, in the order in which they began. */
  tunnels: readonly { readonly isCut: boolean; active(): void }[];
  tunnel(name: string, onCut: () => void, host?: string, port?: number): Promise<string>;
  clock: ManualClock;
  cut(): number;
  looks(): number;
}

Deno.test("client targets use no descriptor for denied targets, however many are requested at once", () =>
  fullOf(20, async ({ tunnel, cut, looks }) => {
    const denied = Array.from({ length: 500 }, () => tunnel("greedy", () => {}, "127.0.0.2"));
    assert.deepEqual(new Set(await Promise.all(denied)), new Set(["target_denied"]));
    assert.deepEqual([cut(), looks()], [0, 0]);
  }));

Deno.test("client targets evict one tunnel for one descriptor, and none for a dial that finds one free", () =>
  fullOf(20, async ({ tunnel, cut, looks, clock }) => {
    const { port } = await closedPort();
    for (let i = 0; i < 50; i++) {
      assert.equal(await tunnel("greedy", () => {}, "127.0.0.1", port), "target_refused");
    }
    assert.deepEqual([cut(), looks()], [1, 1]);
    const many = await Promise.all(Array.from({ length: 100 }, () => tunnel("greedy", () => {})));
    assert.equal(many.filter((result) => result === "open").length, 10, "half of them");
    assert.equal(many.filter((result) => result === "limit_reached").length, 90);
    assert.deepEqual([cut(), looks()], [10, 1]);
    clock.advance(10);
    assert.equal(await tunnel("victim", () => {}), "limit_reached");
    assert.equal(await tunnel("newcomer", () => {}), "open");
  }));

/** a port where nothing listens. */
async function closedPort(): Promise<{ port: number }> {
  await using origin = await SocketOrigin.start();
  return { port: origin.port };
}

Deno.test("client targets name the entry that cannot be read", () => {
  assert.throws(() => targetsOf([{ client: "a" }]), { code: "bad_request" });
  assert.throws(() => targetsOf([{ client: "cn:a", targets: { allow: ["a b"], deny: [] } }]), {
    code: "bad_request",
  });
});

Deno.test("client targets connect to the configured target", async () => {
  await using origin = await SocketOrigin.start();
  using of = targetsOf([{ client: "cn:a" }]);
  const socket = await of.clientTargets.begin(client("a"), () => {}).dial("127.0.0.1", origin.port);
  (await origin.next()).end("hello");
  assert.equal(await readUntil(socket, (text) => text === "hello"), "hello");
  socket.destroy();
});

Deno.test("client targets evict the tunnel that has been idle for longest", () =>
  fullOf(3, async ({ tunnels, tunnel }) => {
    tunnels[0]!.active();
    assert.equal(await tunnel("newcomer", () => {}), "open");
    assert.deepEqual(tunnels.map(({ isCut }) => isCut), [false, true, false]);
  }));

Deno.test("destroying client targets resets the open streams, and no others", () => {
  const { clientTargets } = targetsOf([]);
  const cut: [string, string][] = [];
  const begin = (name: string) => clientTargets.begin(client(name), ({ code }) => cut.push([name, code]));
  begin("open");
  begin("over").done();
  clientTargets.destroy();
  assert.deepEqual(cut, [["open", "going_away"]]);
});
