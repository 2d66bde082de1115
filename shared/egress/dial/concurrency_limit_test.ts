import assert from "node:assert/strict";
import { eventually } from "../../../tests/support/eventually.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { createDialer } from "./dial.ts";
import { createTargetPolicy } from "../../../server/targets/target_policy.ts";
import { createResolver } from "./resolve.ts";
import { ConcurrencyLimit } from "./concurrency_limit.ts";
import { Socket } from "node:net";

Deno.test("concurrency limit refuses one too many, and admits another when one is done", () => {
  const concurrency = new ConcurrencyLimit(2, "lookups");
  const [first] = [concurrency.begin("a", "x"), concurrency.begin("b", "y")];
  assert.throws(() => concurrency.begin("resolve c", "z"), {
    code: "limit_reached",
    message: "Cannot resolve c: too many lookups at once on the server (2)",
  });
  first();
  first();
  assert.equal(concurrency.count, 1);
  concurrency.begin("d", "z");
  assert.equal(concurrency.count, 2);
});

Deno.test("concurrency limit gives no client more than half", () => {
  const concurrency = new ConcurrencyLimit(4, "lookups");
  const [first] = [concurrency.begin("a", "x"), concurrency.begin("b", "x")];
  assert.throws(() => concurrency.begin("resolve c", "x"), {
    code: "limit_reached",
    message: "Cannot resolve c: too many lookups at once for this client (2)",
  });
  concurrency.begin("d", "y");
  first();
  concurrency.begin("e", "x");
  assert.throws(() => concurrency.begin("resolve f", "x"), { code: "limit_reached" });
});

Deno.test("resolver counts a lookup until it is over, even when no request waits for it", async () => {
  const clock = new ManualClock();
  const answers: ((found: { address: string }[]) => void)[] = [];
  const lookup = () => new Promise<{ address: string }[]>((resolve) => answers.push(resolve));
  const concurrency = new ConcurrencyLimit(4, "lookups");
  const resolve = createResolver({ lookup, concurrency, clock, timeoutMs: 10 });
  const late = assert.rejects(resolve("a.example"), { code: "dns_timeout" });
  clock.advance(10);
  await late;
  const abort = new AbortController();
  const cancelled = assert.rejects(resolve("b.example", abort.signal), { code: "cancelled" });
  abort.abort();
  await cancelled;
  await assert.rejects(resolve("c.example"), {
    code: "limit_reached",
    message: /c\.example: too many lookups at once for this client \(2\)/,
  });
  for (const answer of answers) answer([{ address: "192.0.2.1" }]);
  await Promise.resolve();
  assert.equal(concurrency.count, 0);
  const found = resolve("d.example");
  answers[2]!([{ address: "192.0.2.1" }]);
  assert.deepEqual(await found, ["192.0.2.1"]);
  assert.equal(concurrency.count, 0);
});

Deno.test("dialer counts attempts until they connect or fail", async () => {
  const sockets: Socket[] = [];
  const connect = () => {
    const socket = new Socket();
    sockets.push(socket);
    return socket;
  };
  const concurrency = new ConcurrencyLimit(2, "connections to targets");
  const policy = createTargetPolicy();
  const dial = createDialer({
    policy,
    resolve: () => assert.fail(),
    concurrency,
    connect,
    isOwn: () => Promise.resolve(false),
    clock: new ManualClock(),
  });
  const abort = new AbortController();
  const first = assert.rejects(dial("8.8.8.8", 1, abort.signal), { code: "cancelled" });
  await assert.rejects(dial("8.8.8.8", 2), {
    code: "limit_reached",
    message: /8\.8\.8\.8:2: too many connections to targets at once for this client \(1\)/,
  });
  assert.equal(sockets.length, 1);
  abort.abort();
  await first;
  const second = dial("8.8.8.8", 3);
  await eventually("the second target is dialled", () => assert.equal(sockets.length, 2));
  sockets[1]!.emit("connect");
  (await second).destroy();
  assert.equal(concurrency.count, 0);
});
