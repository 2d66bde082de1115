import assert from "node:assert/strict";
import { eventually } from "../../tests/support/eventually.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { createDialer } from "./dial.ts";
import { createTargetPolicy } from "../../server/targets/policy.ts";
import { createResolver } from "./resolve.ts";
import { UnderWay } from "./under_way.ts";
import { Socket } from "node:net";

Deno.test("underWay lets no more begin than its limit, and others when one is over", () => {
  const underWay = new UnderWay(2, "look-ups");
  const [first] = [underWay.begin("a", "x"), underWay.begin("b", "y")];
  assert.throws(() => underWay.begin("resolve c", "z"), {
    code: "limit_reached",
    message: "Cannot resolve c: 2 look-ups are under way on the server",
  });
  first();
  first();
  assert.equal(underWay.count, 1);
  underWay.begin("d", "z");
  assert.equal(underWay.count, 2);
});

Deno.test("underWay gives no client more than half", () => {
  const underWay = new UnderWay(4, "look-ups");
  const [first] = [underWay.begin("a", "x"), underWay.begin("b", "x")];
  assert.throws(() => underWay.begin("resolve c", "x"), {
    code: "limit_reached",
    message: "Cannot resolve c: 2 look-ups are under way for this client",
  });
  underWay.begin("d", "y");
  first();
  underWay.begin("e", "x");
  assert.throws(() => underWay.begin("resolve f", "x"), { code: "limit_reached" });
});

Deno.test("resolver counts a look-up until it is over, though nobody waits for it any more", async () => {
  const clock = new ManualClock();
  const answers: ((found: { address: string }[]) => void)[] = [];
  const lookup = () => new Promise<{ address: string }[]>((resolve) => answers.push(resolve));
  const underWay = new UnderWay(4, "look-ups");
  const resolve = createResolver({ lookup, underWay, clock, timeoutMs: 10 });
  const late = assert.rejects(resolve("a.example"), { code: "dns_timeout" });
  clock.advance(10);
  await late;
  const abort = new AbortController();
  const cancelled = assert.rejects(resolve("b.example", abort.signal), { code: "cancelled" });
  abort.abort();
  await cancelled;
  await assert.rejects(resolve("c.example"), { code: "limit_reached", message: /c\.example: 2 look-ups/ });
  for (const answer of answers) answer([{ address: "192.0.2.1" }]);
  await Promise.resolve();
  assert.equal(underWay.count, 0);
  const found = resolve("d.example");
  answers[2]!([{ address: "192.0.2.1" }]);
  assert.deepEqual(await found, ["192.0.2.1"]);
  assert.equal(underWay.count, 0);
});

Deno.test("dialer counts targets until they are reached or not", async () => {
  const sockets: Socket[] = [];
  const connect = () => {
    const socket = new Socket();
    sockets.push(socket);
    return socket;
  };
  const underWay = new UnderWay(2, "connections to targets");
  const policy = createTargetPolicy();
  const dial = createDialer({
    policy,
    resolve: () => assert.fail(),
    underWay,
    connect,
    isOwn: () => Promise.resolve(false),
    clock: new ManualClock(),
  });
  const abort = new AbortController();
  const first = assert.rejects(dial("8.8.8.8", 1, abort.signal), { code: "cancelled" });
  await assert.rejects(dial("8.8.8.8", 2), { code: "limit_reached", message: /8\.8\.8\.8:2: 1 connections/ });
  assert.equal(sockets.length, 1);
  abort.abort();
  await first;
  const second = dial("8.8.8.8", 3);
  await eventually("the second target is dialled", () => assert.equal(sockets.length, 2));
  sockets[1]!.emit("connect");
  (await second).destroy();
  assert.equal(underWay.count, 0);
});
