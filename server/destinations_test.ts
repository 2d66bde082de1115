import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { SallyportError } from "../shared/errors.ts";
import { DescriptorRoom } from "../shared/net/descriptor_room.ts";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { readUntil, SocketOrigin } from "../tests/support/socket_origin.ts";
import type { ClientEntry } from "../shared/clients/rules.ts";
import { Destinations } from "./destinations.ts";
import { OwnPorts } from "../shared/targets/own_ports.ts";

const client = (commonName: string) => ({
  commonName,
  fingerprint: commonName,
  names: { dns: [], uris: [] },
});

function destinationsOf(clients: ClientEntry[], targets = { allow: ["127.0.0.1"], deny: ["127.0.0.2"] }) {
  const destinations = new Destinations({ targets, clients, ownPorts: new OwnPorts(), maxStreams: 1 });
  return { destinations, [Symbol.dispose]: () => destinations.destroy() };
}

/** What becomes of a client's wish to reach a port where nobody listens. */
async function outcome(destinations: Destinations, name: string, host: string): Promise<string> {
  const { dial, done } = destinations.begin(client(name), () => {});
  const error = await dial(host, 1).then(() => assert.fail(), (error) => error);
  done();
  return error.code === "target_denied" ? `no: ${error.cause}` : error.code;
}

Deno.test("destinations serve every client where clients.allow is empty", async () => {
  using of = destinationsOf([]);
  assert.equal(await outcome(of.destinations, "", "127.0.0.1"), "target_refused");
});

Deno.test("destinations go by the first entry that matches, and refuse clients that none matches", async () => {
  using of = destinationsOf([
    { client: "cn:ci-*", targets: { allow: ["127.0.0.2", "127.0.0.3"], deny: ["127.0.0.4"] } },
    { client: "cn:*-1" },
  ]);
  const { destinations } = of;
  assert.equal(
    await outcome(destinations, "ci-1", "127.0.0.3"),
    "target_refused",
    "its own list is open to it",
  );
  assert.equal(
    await outcome(destinations, "ci-1", "127.0.0.1"),
    "no: default loopback: 127.0.0.1",
    "in its place",
  );
  assert.equal(
    await outcome(destinations, "ci-1", "127.0.0.2"),
    "no: deny 127.0.0.2: 127.0.0.2",
    "always counts",
  );
  assert.equal(await outcome(destinations, "ci-1", "127.0.0.4"), "no: deny 127.0.0.4: 127.0.0.4");
  assert.equal(await outcome(destinations, "x-1", "127.0.0.1"), "target_refused");
  assert.equal(await outcome(destinations, "x-1", "127.0.0.3"), "no: default loopback: 127.0.0.3");
  assert.equal(await outcome(destinations, "x-2", "127.0.0.1"), "peer_rejected");
  assert.equal(destinations.refusalOf(client("x-1")), undefined);
  assert.equal(
    destinations.refusalOf(client("x-2"))?.message,
    "Cannot let the agent in: clients.allow on the server does not name this client",
  );
});

Deno.test("destinations keep the connections of clients apart, though the same rules are for them", () => {
  using of = destinationsOf([]);
  const origins = (name: string) => of.destinations.begin(client(name), () => {}).origins;
  assert.equal(origins("a"), origins("a"));
  assert.notEqual(origins("a"), origins("b"));
});

Deno.test("destinations refuse a stream too many, and one client gives way to another", async () => {
  using of = destinationsOf([]);
  const { destinations } = of;
  const cut: number[] = [];
  const begin = (name: string, id: number) => destinations.begin(client(name), () => cut.push(id));
  const streams = [1, 2, 3, 4, 5, 6, 7, 8].map((id) => begin("a", id));
  const refused = begin("a", 9);
  await assert.rejects(refused.dial("127.0.0.1", 1), { code: "limit_reached" });
  assert.notEqual(refused.origins, streams[0]!.origins, "no kept connection serves it either");
  refused.done();
  assert.equal(await outcome(destinations, "b", "127.0.0.1"), "target_refused");
  assert.deepEqual(cut, [1]);
  assert.equal(await outcome(destinations, "a", "127.0.0.1"), "target_refused", "there is room again");
  const { used, refused: times, evicted } = destinations.figures().streams;
  assert.deepEqual([used, times, evicted], [7, 1, 1]);
});

/** A process with room for `room` sockets to targets: a client with as many tunnels, and how to come as another. */
async function fullOf(room: number, body: (scene: Full) => Promise<void>): Promise<void> {
  await using origin = await SocketOrigin.start();
  const clock = new ManualClock();
  const open = new Set<Socket>();
  let looks = 0;
  // Descriptors are closed when a socket is, and opened a turn after the dial.
  const descriptors = new DescriptorRoom(
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
  const destinations = new Destinations({ targets, ...rest, descriptors });
  const tunnel = async (name: string, onCut: () => void, host = "127.0.0.1", port = origin.port) => {
    let socket: Socket | undefined;
    const { dial, done } = destinations.begin(client(name), () => {
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
    await body({ tunnel, clock, cut: () => cut, looks: () => looks });
  } finally {
    for (const socket of open) socket.destroy();
    destinations.destroy();
  }
}

interface Full {
  tunnel(name: string, onCut: () => void, host?: string, port?: number): Promise<string>;
  clock: ManualClock;
  cut(): number;
  looks(): number;
}

Deno.test("destinations take no descriptor for targets that are denied, however many are asked for at once", () =>
  fullOf(20, async ({ tunnel, cut, looks }) => {
    const denied = Array.from({ length: 500 }, () => tunnel("greedy", () => {}, "127.0.0.2"));
    assert.deepEqual(new Set(await Promise.all(denied)), new Set(["target_denied"]));
    assert.deepEqual([cut(), looks()], [0, 0]);
  }));

Deno.test("destinations cut one tunnel for one descriptor, and none for a dial that uses what is free by then", () =>
  fullOf(20, async ({ tunnel, cut, looks, clock }) => {
    const { port } = await closedPort();
    for (let i = 0; i < 50; i++) {
      assert.equal(await tunnel("greedy", () => {}, "127.0.0.1", port), "target_refused");
    }
    assert.deepEqual([cut(), looks()], [1, 1]);
    const many = await Promise.all(Array.from({ length: 100 }, () => tunnel("greedy", () => {})));
    assert.equal(many.filter((outcome) => outcome === "open").length, 10, "half of them");
    assert.equal(many.filter((outcome) => outcome === "limit_reached").length, 90);
    assert.deepEqual([cut(), looks()], [10, 1]);
    clock.advance(10);
    assert.equal(await tunnel("victim", () => {}), "limit_reached");
    assert.equal(await tunnel("newcomer", () => {}), "open");
  }));

/** A port where nobody listens. */
async function closedPort(): Promise<{ port: number }> {
  await using origin = await SocketOrigin.start();
  return { port: origin.port };
}

Deno.test("destinations name the entry that cannot be read", () => {
  assert.throws(() => destinationsOf([{ client: "a" }]), { code: "bad_request" });
  assert.throws(() => destinationsOf([{ client: "cn:a", targets: { allow: ["a b"], deny: [] } }]), {
    code: "bad_request",
  });
});

Deno.test("destinations lead to where they say", async () => {
  await using origin = await SocketOrigin.start();
  using of = destinationsOf([{ client: "cn:a" }]);
  const socket = await of.destinations.begin(client("a"), () => {}).dial("127.0.0.1", origin.port);
  (await origin.next()).end("hello");
  assert.equal(await readUntil(socket, (text) => text === "hello"), "hello");
  socket.destroy();
});
