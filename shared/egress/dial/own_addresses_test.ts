import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { withReason } from "../../../tests/support/with_reason.ts";
import { OwnAddresses } from "./own_addresses.ts";

/** A kernel with some addresses, which notes what it was asked for. */
function kernel(...mine: string[]) {
  const asked: string[] = [];
  const canBind = (address: string) => {
    asked.push(address);
    return Promise.resolve(mine.includes(address) || mine.includes("any"));
  };
  const clock = new ManualClock();
  const own = new OwnAddresses({ clock, canBind });
  return { asked, clock, own };
}

Deno.test("own addresses are found on the real machine, and others are not", async () => {
  const own = new OwnAddresses({ clock: new ManualClock() });
  for (const address of ["127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]) {
    assert.equal(await own.has(address), true, address);
  }
  for (const address of ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "fe80::1234", "240.0.0.2"]) {
    assert.equal(await own.has(address), false, address);
  }
});

Deno.test("own addresses are found in every form", async () => {
  const { own } = kernel("8.8.8.8", "2606:4700::1");
  for (
    const address of ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2606:4700:0:0::1"]
  ) {
    assert.equal(await own.has(address), true, address);
  }
  assert.equal(await own.has("8.8.4.4"), false);
});

Deno.test("no address is own where the kernel lets programs bind any address", async () => {
  const { own } = kernel("any");
  assert.equal(await own.has("8.8.8.8"), false);
  assert.equal(await own.has("2606:4700::1"), false);
});

Deno.test("own addresses are probed once in ten seconds, even for concurrent requests", async () => {
  const { own, asked, clock } = kernel();
  await Promise.all([own.has("8.8.8.8"), own.has("8.8.8.8")]);
  await own.has("8.8.8.8");
  assert.deepEqual(asked, ["8.8.8.8"]);
  clock.advance(10_000);
  await own.has("8.8.8.8");
  assert.deepEqual(asked, ["8.8.8.8", "8.8.8.8"]);
});

Deno.test("own addresses cache a bounded number of results", async () => {
  const { own, asked } = kernel();
  const names = Array.from({ length: 1_025 }, (_, i) => `8.8.${i >> 8}.${i & 255}`);
  for (const name of names) await own.has(name);
  await own.has(names.at(-1)!);
  assert.equal(asked.length, 1_025);
  await own.has(names[0]!);
  assert.equal(asked.length, 1_026, "the oldest answer was given up");
});

Deno.test("a failed own-address probe is an error, and is repeated", async () => {
  let isShort = true;
  const full = Object.assign(new Error("too many open files"), { code: "EMFILE" });
  const canBind = () => isShort ? Promise.reject(full) : Promise.resolve(false);
  const own = new OwnAddresses({ clock: new ManualClock(), canBind });
  await assert.rejects(own.has("8.8.8.8"), withReason("limit_reached", /8\.8\.8\.8 is this machine's own/));
  isShort = false;
  assert.equal(await own.has("8.8.8.8"), false);
});
