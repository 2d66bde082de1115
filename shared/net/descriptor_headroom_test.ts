import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { DescriptorHeadroom } from "./descriptor_headroom.ts";

Deno.test("DescriptorHeadroom probes once for several connections, and again a second later", () => {
  const clock = new ManualClock();
  const looks: number[] = [];
  const room = new DescriptorHeadroom(clock, (count) => (looks.push(count), count));
  for (let open = 0; open < 16; open++) assert.ok(room.hasRoom(open));
  assert.equal(looks.length, 1);
  assert.ok(room.hasRoom(16));
  assert.equal(looks.length, 2, "the seventeenth needs a look");
  clock.advance(1_000);
  assert.ok(room.hasRoom(3));
  assert.equal(looks.length, 3, "others may have taken what was free");
});

Deno.test("DescriptorHeadroom refuses when only the reserve is left, and accepts as soon as there is more", () => {
  let free = 30;
  const room = new DescriptorHeadroom(new ManualClock(), (count) => Math.min(count, free));
  assert.ok(room.hasRoom(0));
  free = 20;
  assert.ok(room.hasRoom(16), "few are left, but more than the spare ones");
  free = 7;
  assert.ok(!room.hasRoom(17));
  assert.ok(!room.hasRoom(3), "what was granted before does not count any more");
  free = 8;
  assert.ok(room.hasRoom(17));
});

Deno.test("DescriptorHeadroom requires some to close when the reserve is used, and does not probe every time", () => {
  const clock = new ManualClock();
  let looks = 0;
  const room = new DescriptorHeadroom(clock, (count) => (looks++, Math.min(count, 6)), 8, 10);
  for (let i = 0; i < 1_000; i++) assert.ok(!room.hasRoom(40));
  assert.ok(!room.hasRoom(39), "two of the spare ones are missing");
  assert.ok(room.hasRoom(38));
  assert.equal(looks, 1);
  clock.advance(10);
  assert.ok(!room.hasRoom(38), "looked again");
  assert.equal(looks, 2);
});

Deno.test("DescriptorHeadroom counts pending connections, at a cost that grows linearly", () => {
  const room = new DescriptorHeadroom(new ManualClock(), (count) => Math.min(count, 30), 12);
  assert.ok(room.hasRoom(18, 18));
  assert.ok(!room.hasRoom(19, 19));
  let opened = 0;
  const large = new DescriptorHeadroom(new ManualClock(), (count) => (opened += count, count), 12);
  for (let open = 0; open < 1_024; open++) assert.ok(large.hasRoom(open, open));
  assert.ok(opened < 4 * 1_024, `${opened} files were opened`);
});

Deno.test("DescriptorHeadroom probes this process", () => {
  assert.ok(new DescriptorHeadroom(new ManualClock()).hasRoom(0));
});
