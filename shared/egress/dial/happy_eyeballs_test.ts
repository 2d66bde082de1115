import assert from "node:assert/strict";
import { createServer } from "node:net";
import { SallyportError } from "../../errors.ts";
import { eventually } from "../../../tests/support/eventually.ts";
import { SocketOrigin } from "../../../tests/support/origins/socket_origin.ts";
import { within } from "../../../tests/support/within.ts";
import { createDialer } from "./dial.ts";
import { interleave } from "./happy_eyeballs.ts";
import { ConcurrencyLimit } from "./concurrency_limit.ts";
import { fakeDialer, LOCAL, turn } from "../../../tests/support/origins/fake_network.ts";

Deno.test("interleave alternates address families, beginning with the first", () => {
  assert.deepEqual(interleave(["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"]), [
    ...["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"],
  ]);
  assert.deepEqual(interleave(["1.1.1.1", "::1"]), ["1.1.1.1", "::1"]);
  assert.deepEqual(interleave([]), []);
});

Deno.test("dialer tries the next address in parallel after 250 ms, and keeps the first connection", async () => {
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

Deno.test("dialer reports the most significant error when every address failed", async () => {
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

Deno.test("dialer gives up at its deadline and destroys its sockets", async () => {
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

Deno.test("dialer reports a refused connection of a real socket", async () => {
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

Deno.test("dialer tries at most eight addresses of a name", async () => {
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
  const concurrency = new ConcurrencyLimit(16, "connections to targets");
  const { network, clock, dial } = fakeDialer(many, { concurrency });
  const dialled = dial("a.example", 80);
  await turn();
  const open = () =>
    [...network.sockets].filter(([, { destroyed }]) => !destroyed).map(([address]) => address);
  for (let tried = 1; tried <= many.length; tried++) {
    assert.deepEqual(open(), many.slice(Math.max(0, tried - 3), tried));
    assert.equal(concurrency.count, open().length, "each attempt counts");
    if (tried < many.length) clock.advance(250);
  }
  network.succeed("192.0.2.7");
  const socket = await dialled;
  assert.deepEqual([open(), concurrency.count, clock.timers], [["192.0.2.7"], 0, 0]);
  socket.destroy();
});

Deno.test("dialer lets a further attempt wait for a socket, and fails if there is none for the first", async () => {
  const concurrency = new ConcurrencyLimit(2, "connections to targets");
  const { network, clock, dial } = fakeDialer(["192.0.2.1", "192.0.2.2"], { concurrency });
  const asked: boolean[] = [];
  let isFull = false;
  const dialled = dial("a.example", 80, undefined, "a", (doing, isFurther) => {
    asked.push(isFurther);
    if (isFull) throw new SallyportError("limit_reached", `Cannot ${doing}: no socket is free`);
    return () => void (isFull = false);
  });
  await turn();
  isFull = true;
  await assert.rejects(dial("a.example", 80, undefined, "a"), { code: "limit_reached" });
  clock.advance(250);
  assert.deepEqual([network.tried, concurrency.count], [["192.0.2.1"], 1], "the second attempt waits");
  network.fail("192.0.2.1", "ECONNREFUSED");
  await turn();
  assert.deepEqual(network.tried, ["192.0.2.1", "192.0.2.2"]);
  network.succeed("192.0.2.2");
  (await dialled).destroy();
  assert.deepEqual([asked, concurrency.count, clock.timers], [[false, false], 0, 0]);
});

Deno.test("a connection that fails before its user listens does not end the process", async () => {
  await using origin = await SocketOrigin.start();
  const socket = await createDialer({ policy: LOCAL, resolve: () => Promise.resolve([]) })(
    "127.0.0.1",
    origin.port,
  );
  (await origin.next()).resetAndDestroy();
  await eventually("the connection fails", () => assert.ok(socket.closed));
  assert.equal((socket.errored as { code?: string } | null)?.code, "ECONNRESET");
});
