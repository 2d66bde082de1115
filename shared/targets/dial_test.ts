import assert from "node:assert/strict";
import { createServer, Socket } from "node:net";
import { SallyportError } from "../errors.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { readUntil, SocketOrigin } from "../../tests/support/socket_origin.ts";
import { within } from "../../tests/support/within.ts";
import { createDialer, type DialerOptions } from "./dial.ts";
import { interleave } from "./interleave.ts";
import { OwnPorts } from "./own_ports.ts";
import { UnderWay } from "./under_way.ts";
import { createTargetPolicy } from "../../server/targets/policy.ts";

const LOCAL = createTargetPolicy({ allow: ["127.0.0.0/8", "::1", "192.0.2.0/24", "2001:db8::/32"] });

/** Sockets that connect or fail when the test says so. */
class FakeNetwork {
  readonly sockets = new Map<string, Socket>();
  readonly connect = (address: string): Socket => {
    const socket = new Socket();
    this.sockets.set(address, socket);
    return socket;
  };
  get tried(): string[] {
    return [...this.sockets.keys()];
  }
  succeed(address: string): void {
    this.sockets.get(address)!.emit("connect");
  }
  fail(address: string, code: string): void {
    this.sockets.get(address)!.destroy(Object.assign(new Error(`connect ${code}`), { code }));
  }
}

/** As if none of the addresses were this machine's. */
const isOwn = () => Promise.resolve(false);

function fakeDialer(addresses: string[], more: Partial<DialerOptions> = {}) {
  const network = new FakeNetwork();
  const clock = new ManualClock();
  const resolve = () => Promise.resolve(addresses);
  const dial = createDialer({ policy: LOCAL, resolve, clock, connect: network.connect, isOwn, ...more });
  return { network, clock, dial };
}

/** Lets what was resolved be dialled. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("interleave takes the families in turn, the first one first", () => {
  assert.deepEqual(interleave(["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"]), [
    ...["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"],
  ]);
  assert.deepEqual(interleave(["1.1.1.1", "::1"]), ["1.1.1.1", "::1"]);
  assert.deepEqual(interleave([]), []);
});

Deno.test("dialer connects to a name's judged address", async () => {
  await using origin = await SocketOrigin.start();
  let lookups = 0;
  const resolve = () => (lookups++, Promise.resolve(["127.0.0.1"]));
  const socket = await createDialer({ policy: LOCAL, resolve })("a.example", origin.port);
  const far = await origin.next();
  far.end("hello");
  assert.equal(await readUntil(socket, (text) => text === "hello"), "hello");
  assert.deepEqual([socket.remoteAddress, lookups], ["127.0.0.1", 1]);
  socket.destroy();
});

Deno.test("dialer does not resolve an address", async () => {
  await using origin = await SocketOrigin.start();
  const resolve = () => assert.fail("resolved");
  (await createDialer({ policy: LOCAL, resolve })("127.0.0.1", origin.port)).destroy();
});

Deno.test("dialer drops the forbidden addresses and dials the others", async () => {
  const { network, clock, dial } = fakeDialer(["10.0.0.1", "192.0.2.1", "169.254.169.254", "::1"]);
  const dialled = dial("a.example", 80);
  await turn();
  clock.advance(1_000);
  assert.deepEqual(network.tried, ["192.0.2.1", "::1"]);
  network.succeed("::1");
  (await dialled).destroy();
});

Deno.test("dialer refuses a target of which no address is left, and says nothing of its addresses", async () => {
  const { network, dial } = fakeDialer(["10.0.0.1", "fd00::1"]);
  await assert.rejects(dial("a.example", 80), {
    code: "target_denied",
    message: "Cannot connect to a.example:80: private and other non-public addresses are refused by default",
    cause: "default private: 10.0.0.1",
  });
  assert.deepEqual(network.tried, []);
});

Deno.test("dialer refuses a denied name before it asks for its addresses", async () => {
  const policy = createTargetPolicy({ deny: ["a.example"] });
  const dial = createDialer({ policy, resolve: () => assert.fail("resolved") });
  await assert.rejects(dial("A.example", 80), { code: "target_denied" });
});

Deno.test("dialer passes the resolver's failure on", async () => {
  const resolve = () => Promise.reject(new SallyportError("dns_timeout", "late"));
  await assert.rejects(createDialer({ policy: LOCAL, resolve })("a.example", 80), { code: "dns_timeout" });
});

Deno.test("dialer tries the next address 250 ms later beside the first, and keeps the first that connects", async () => {
  const { network, clock, dial } = fakeDialer(["2001:db8::1", "2001:db8::2", "192.0.2.1"]);
  const dialled = dial("a.example", 80);
  await turn();
  assert.deepEqual(network.tried, ["2001:db8::1"]);
  clock.advance(249);
  assert.deepEqual(network.tried, ["2001:db8::1"]);
  clock.advance(1);
  assert.deepEqual(network.tried, ["2001:db8::1", "192.0.2.1"]);
  network.succeed("192.0.2.1");
  const socket = await dialled;
  assert.equal(socket, network.sockets.get("192.0.2.1"));
  assert.equal(network.sockets.get("2001:db8::1")!.destroyed, true);
  assert.deepEqual([network.tried.length, clock.timers], [2, 0]);
  socket.destroy();
});

Deno.test("dialer tries the next address at once when one fails", async () => {
  const { network, dial } = fakeDialer(["192.0.2.1", "192.0.2.2"]);
  const dialled = dial("a.example", 80);
  await turn();
  network.fail("192.0.2.1", "ECONNREFUSED");
  await turn();
  network.succeed("192.0.2.2");
  (await dialled).destroy();
});

Deno.test("dialer tells what happened when every address failed", async () => {
  const cases: [string, string, string][] = [
    ["EHOSTUNREACH", "ECONNREFUSED", "target_refused"],
    ["ENETUNREACH", "EHOSTUNREACH", "target_unreachable"],
    ["ENETUNREACH", "ETIMEDOUT", "target_timeout"],
    ["EADDRNOTAVAIL", "EADDRNOTAVAIL", "target_unreachable"],
  ];
  for (const [first, second, code] of cases) {
    const { network, clock, dial } = fakeDialer(["192.0.2.1", "192.0.2.2"]);
    const dialled = assert.rejects(dial("a.example", 80), { code }, code);
    await turn();
    network.fail("192.0.2.1", first);
    await turn();
    network.fail("192.0.2.2", second);
    await dialled;
    assert.equal(clock.timers, 0);
  }
});

Deno.test("dialer gives up at its deadline and destroys what it began", async () => {
  const { network, clock, dial } = fakeDialer(["192.0.2.1", "192.0.2.2"], { connectTimeoutMs: 3_000 });
  const dialled = assert.rejects(dial("a.example", 80), {
    code: "target_timeout",
    message: "Cannot connect to a.example:80: no answer within 3000 ms",
  });
  await turn();
  clock.advance(3_000);
  await dialled;
  assert.ok([...network.sockets.values()].every((socket) => socket.destroyed));
  assert.deepEqual([network.tried.length, clock.timers], [2, 0]);
});

Deno.test("dialer stops at once when it is cancelled", async () => {
  const { network, clock, dial } = fakeDialer(["192.0.2.1", "192.0.2.2"]);
  const abort = new AbortController();
  const dialled = assert.rejects(dial("a.example", 80, abort.signal), { code: "cancelled" });
  await turn();
  abort.abort();
  await dialled;
  assert.equal(network.sockets.get("192.0.2.1")!.destroyed, true);
  assert.deepEqual([network.tried.length, clock.timers], [1, 0]);
});

Deno.test("dialer tells a refused connection of a real socket", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const dial = createDialer({ policy: LOCAL, resolve: () => Promise.resolve([]) });
  await within(5_000, assert.rejects(dial("127.0.0.1", port), { code: "target_refused" }), "refusal");
});

Deno.test("dialer leaves nothing open when it is cancelled while a real socket connects", async () => {
  await using origin = await SocketOrigin.start();
  const abort = new AbortController();
  const dial = createDialer({ policy: LOCAL, resolve: () => Promise.resolve([]) });
  const dialled = dial("127.0.0.1", origin.port, abort.signal);
  abort.abort();
  await assert.rejects(dialled, { code: "cancelled" });
});

Deno.test("dialer tries no more than eight addresses of a name", async () => {
  const many = Array.from({ length: 40 }, (_, i) => `192.0.2.${i + 1}`);
  const { network, clock, dial } = fakeDialer(many);
  const dialled = assert.rejects(dial("a.example", 80), { code: "target_timeout" });
  await turn();
  clock.advance(10_000);
  await dialled;
  assert.deepEqual(network.tried, many.slice(0, 8));
});

Deno.test("dialer has at most three attempts open for a name, and ends the oldest for the next", async () => {
  const many = Array.from({ length: 8 }, (_, i) => `192.0.2.${i + 1}`);
  const underWay = new UnderWay(16, "connections to targets");
  const { network, clock, dial } = fakeDialer(many, { underWay });
  const dialled = dial("a.example", 80);
  await turn();
  const open = () =>
    [...network.sockets].filter(([, { destroyed }]) => !destroyed).map(([address]) => address);
  for (let tried = 1; tried <= many.length; tried++) {
    assert.deepEqual(open(), many.slice(Math.max(0, tried - 3), tried));
    assert.equal(underWay.count, open().length, "each attempt counts");
    if (tried < many.length) clock.advance(250);
  }
  network.succeed("192.0.2.7");
  const socket = await dialled;
  assert.deepEqual([open(), underWay.count, clock.timers], [["192.0.2.7"], 0, 0]);
  socket.destroy();
});

Deno.test("dialer lets a further attempt wait for room, and fails when there is none for the first", async () => {
  const underWay = new UnderWay(2, "connections to targets");
  const { network, clock, dial } = fakeDialer(["192.0.2.1", "192.0.2.2"], { underWay });
  const asked: boolean[] = [];
  let isFull = false;
  const dialled = dial("a.example", 80, undefined, "a", (doing, isFurther) => {
    asked.push(isFurther);
    if (isFull) throw new SallyportError("limit_reached", `Cannot ${doing}: no room`);
    return () => void (isFull = false);
  });
  await turn();
  isFull = true;
  await assert.rejects(dial("a.example", 80, undefined, "a"), { code: "limit_reached" });
  clock.advance(250);
  assert.deepEqual([network.tried, underWay.count], [["192.0.2.1"], 1], "the second attempt waits");
  network.fail("192.0.2.1", "ECONNREFUSED");
  await turn();
  assert.deepEqual(network.tried, ["192.0.2.1", "192.0.2.2"]);
  network.succeed("192.0.2.2");
  (await dialled).destroy();
  assert.deepEqual([asked, underWay.count, clock.timers], [[false, false], 0, 0]);
});

Deno.test("dialer judges every address by itself, and a name that changes its addresses gains nothing", async () => {
  await using origin = await SocketOrigin.start();
  const answers = [["192.0.2.1", "127.0.0.1"], ["127.0.0.1"]];
  const resolve = () => Promise.resolve(answers.shift()!);
  const network = new FakeNetwork();
  const policy = createTargetPolicy({ allow: ["192.0.2.0/24"] });
  const dial = createDialer({ policy, resolve, connect: network.connect, isOwn, clock: new ManualClock() });
  const first = dial("a.example", origin.port);
  await turn();
  network.succeed("192.0.2.1");
  (await first).destroy();
  await assert.rejects(dial("a.example", origin.port), { code: "target_denied" });
  assert.deepEqual([network.tried, answers.length, origin.accepted], [["192.0.2.1"], 0, 0]);
});

Deno.test("dialer refuses an address of this machine before it is dialled, unless an entry allows it", async () => {
  const [mine, other] = ["8.8.8.8", "1.1.1.1"];
  const dialerOf = (allow: readonly string[], addresses = [mine]) =>
    fakeDialer(addresses, {
      policy: createTargetPolicy({ allow }),
      isOwn: (address) => Promise.resolve(address === mine),
    });
  for (const host of [mine, "a.example"]) {
    const { dial, network } = dialerOf([]);
    await assert.rejects(dial(host, 6379), {
      code: "target_denied",
      message: `Cannot connect to ${host}:6379: the server's own addresses are refused by default`,
      cause: "own address: 8.8.8.8",
    });
    assert.deepEqual(network.tried, []);
  }
  for (const entry of ["8.8.8.8", "8.0.0.0/8", "a.example:6379"]) {
    const { dial, network } = dialerOf([entry]);
    const connected = dial("a.example", 6379);
    await turn();
    network.succeed(mine);
    (await connected).destroy();
  }
  const { dial, network } = dialerOf(["8.8.8.8:22"], [mine, other]);
  const connected = dial("a.example", 6379);
  await turn();
  assert.deepEqual(network.tried, [other]);
  network.succeed(other);
  (await connected).destroy();
});

/** A socket with these addresses at its ends, once it connects. */
function socketBetween(localAddress: string, remoteAddress: string): Socket {
  return Object.defineProperties(new Socket(), {
    localAddress: { value: localAddress },
    remoteAddress: { value: remoteAddress },
  });
}

/** Begins a connection that succeeds at once. */
const connecting = (socket: Socket) => () => {
  queueMicrotask(() => socket.emit("connect"));
  return socket;
};

Deno.test("dialer destroys a connection with the same address at both ends", async () => {
  const ownPorts = new OwnPorts();
  ownPorts.add(8443);
  for (
    const [here, there, port, why] of [
      ["8.8.8.8", "8.8.8.8", 80, "own addresses are refused by default"],
      ["8.8.8.8", "::ffff:8.8.8.8", 80, "own addresses are refused by default"],
      ["2606:4700::1", "2606:4700:0::1", 80, "own addresses are refused by default"],
      ["8.8.8.8", "8.8.8.8", 8443, "own ports are refused"],
    ] as const
  ) {
    const socket = socketBetween(here, there);
    const policy = createTargetPolicy({ ownPorts, allow: port === 8443 ? ["8.8.8.8"] : [] });
    const { dial } = fakeDialer([there], { policy, connect: connecting(socket) });
    await assert.rejects(dial("a.example", port), {
      code: "target_denied",
      message: `Cannot connect to a.example:${port}: the server's ${why}`,
    });
    assert.deepEqual([socket.destroyed, socket.bytesWritten], [true, 0]);
  }
  for (const [allow, here] of [[["8.8.8.8"], "8.8.8.8"], [[], "1.1.1.1"]] as const) {
    const socket = socketBetween(here, "8.8.8.8");
    const { dial } = fakeDialer(["8.8.8.8"], {
      policy: createTargetPolicy({ allow }),
      connect: connecting(socket),
    });
    assert.equal(await dial("a.example", 80), socket);
    socket.destroy();
  }
});

Deno.test("dialer asks no resolver for what is no name", async () => {
  const dial = createDialer({ policy: LOCAL, resolve: () => assert.fail("resolved") });
  for (const host of ["a\r\nb", "a b", "a..b", "x".repeat(64), "127.0.0.1.5", "fe80::1%lo", "[::1]"]) {
    const message = `Cannot connect to ${JSON.stringify(host)}: it is neither a name nor an address`;
    await assert.rejects(dial(host, 80), { code: "bad_request", message });
  }
});
