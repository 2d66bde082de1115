import assert from "node:assert/strict";
import { isIP } from "node:net";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { within } from "../../../tests/support/within.ts";
import { createResolver, type Lookup } from "./resolve.ts";

const answers = (...addresses: string[]): Lookup => () =>
  Promise.resolve(addresses.map((address) => ({ address })));
const fails = (code: string): Lookup => () => Promise.reject(Object.assign(new Error(code), { code }));
const never: Lookup = () => new Promise(() => {});

Deno.test("resolver returns all addresses of both families, each once, after one lookup", async () => {
  const asked: string[] = [];
  const lookup: Lookup = (name) => {
    asked.push(name);
    return answers("2001:db8::1", "192.0.2.1", "2001:db8::1")(name);
  };
  assert.deepEqual(await createResolver({ lookup })("WWW.Example.ORG."), ["2001:db8::1", "192.0.2.1"]);
  assert.deepEqual(asked, ["www.example.org"]);
});

Deno.test("resolver looks up other scripts as Punycode", async () => {
  const asked: string[] = [];
  const lookup: Lookup = (name) => (asked.push(name), answers("192.0.2.1")(name));
  await createResolver({ lookup })("Bücher.example");
  assert.deepEqual(asked, ["xn--bcher-kva.example"]);
});

Deno.test("resolver distinguishes a missing name from a timeout", async () => {
  for (const code of ["ENOTFOUND", "ENODATA", "ESERVFAIL"]) {
    await assert.rejects(createResolver({ lookup: fails(code) })("a.example"), { code: "dns_error" }, code);
  }
  for (const code of ["ETIMEOUT", "EAI_AGAIN"]) {
    await assert.rejects(createResolver({ lookup: fails(code) })("a.example"), { code: "dns_timeout" }, code);
  }
  await assert.rejects(createResolver({ lookup: answers() })("a.example"), {
    code: "dns_error",
    message: "Cannot resolve a.example: no address found",
  });
});

Deno.test("resolver gives up at its deadline", async () => {
  const clock = new ManualClock();
  const asked = createResolver({ lookup: never, timeoutMs: 700, clock })("a.example");
  clock.advance(699);
  assert.equal(clock.timers, 1);
  clock.advance(1);
  await assert.rejects(asked, { code: "dns_timeout", message: /a\.example: no answer within 700 ms/ });
  assert.equal(clock.timers, 0);
});

Deno.test("resolver stops when it is cancelled, before and during the lookup", async () => {
  const clock = new ManualClock();
  const resolve = createResolver({ lookup: never, clock });
  await assert.rejects(resolve("a.example", AbortSignal.abort()), { code: "cancelled" });
  const abort = new AbortController();
  const asked = resolve("a.example", abort.signal);
  abort.abort();
  await assert.rejects(asked, { code: "cancelled" });
  assert.equal(clock.timers, 0);
});

Deno.test("resolver refuses an invalid name without a lookup", async () => {
  const lookup: Lookup = () => assert.fail("asked");
  for (const name of ["", "a b", "a/b", "a\0.example", "a..b", "x".repeat(64), "fe80::1%eth0"]) {
    await assert.rejects(createResolver({ lookup })(name), { code: "dns_error" }, JSON.stringify(name));
  }
});

Deno.test("resolver uses the hosts file of this machine", async () => {
  const found = await within(5_000, createResolver()("localhost"), "localhost resolves");
  assert.ok(found.length > 0 && found.every((address) => isIP(address) !== 0), String(found));
});
