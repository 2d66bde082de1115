import assert from "node:assert/strict";
import { Socket } from "node:net";
import { SallyportError } from "../../errors.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { readUntil, SocketOrigin } from "../../../tests/support/origins/socket_origin.ts";
import { withReason } from "../../../tests/support/with_reason.ts";
import { createDialer } from "./dial.ts";
import { OwnPorts } from "../rules/own_ports.ts";
import { ConcurrencyLimit } from "./concurrency_limit.ts";
import { createTargetPolicy } from "../../../server/targets/target_policy.ts";
import { fakeDialer, FakeNetwork, isOwn, LOCAL, turn } from "../../../tests/support/origins/fake_network.ts";

Deno.test("dialer connects to an allowed address of a name", async () => {
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

Deno.test("dialer skips denied addresses and dials the others", async () => {
  const { network, clock, dial } = fakeDialer(["10.0.0.1", "192.0.2.1", "169.254.169.254", "::1"]);
  const dialled = dial("a.example", 80);
  await turn();
  clock.advance(1_000);
  assert.deepEqual(network.tried, ["192.0.2.1", "::1"]);
  network.succeed("::1");
  (await dialled).destroy();
});

Deno.test("dialer refuses a target without an allowed address, and does not reveal its addresses", async () => {
  const { network, dial } = fakeDialer(["10.0.0.1", "fd00::1"]);
  await assert.rejects(dial("a.example", 80), {
    code: "target_denied",
    message: "Cannot connect to a.example:80: private and other non-public addresses are refused by default",
    cause: "default private: 10.0.0.1",
  });
  assert.deepEqual(network.tried, []);
});

Deno.test("dialer refuses a denied name without resolving it", async () => {
  const policy = createTargetPolicy({ deny: ["a.example"] });
  const dial = createDialer({ policy, resolve: () => assert.fail("resolved") });
  await assert.rejects(dial("A.example", 80), { code: "target_denied" });
});

Deno.test("dialer passes on the resolver's error", async () => {
  const resolve = () => Promise.reject(new SallyportError("dns_timeout", "late"));
  await assert.rejects(createDialer({ policy: LOCAL, resolve })("a.example", 80), { code: "dns_timeout" });
});

Deno.test("dialer judges every address, so that DNS rebinding gains nothing", async () => {
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

/** A socket that will have these addresses at its ends. */
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

Deno.test("dialer does not resolve what is not a name", async () => {
  const dial = createDialer({ policy: LOCAL, resolve: () => assert.fail("resolved") });
  for (const host of ["a\r\nb", "a b", "a..b", "x".repeat(64), "127.0.0.1.5", "fe80::1%lo", "[::1]"]) {
    const message = `Cannot connect to ${JSON.stringify(host)}: not a host name or IP address`;
    await assert.rejects(dial(host, 80), { code: "bad_request", message });
  }
});

Deno.test("dialer counts an own-address probe as a dial, one at a time, within the limit", async () => {
  const concurrency = new ConcurrencyLimit(2, "connections to targets");
  const asked: [string, PromiseWithResolvers<boolean>][] = [];
  const isOwn = (address: string) => {
    const answer = Promise.withResolvers<boolean>();
    asked.push([address, answer]);
    return answer.promise;
  };
  const { network, dial } = fakeDialer(["192.0.2.1", "192.0.2.2"], { concurrency, isOwn });
  const first = dial("a.example", 80);
  await turn();
  assert.deepEqual([asked.map(([address]) => address), concurrency.count], [["192.0.2.1"], 1]);
  await assert.rejects(
    dial("b.example", 80),
    withReason("limit_reached", /too many connections to targets at once/),
  );
  assert.equal(asked.length, 1, "the second one asked nothing");
  asked[0]![1].resolve(false);
  await turn();
  asked[1]![1].resolve(false);
  await turn();
  assert.deepEqual(network.tried, ["192.0.2.1"]);
  network.succeed("192.0.2.1");
  (await first).destroy();
  const failing = dial("a.example", 80);
  await turn();
  asked[2]![1].reject(new SallyportError("limit_reached", "no descriptor"));
  await assert.rejects(failing, { code: "limit_reached" });
  assert.equal(concurrency.count, 0);
});
