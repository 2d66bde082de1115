import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { DescriptorRoom } from "./descriptor_room.ts";

Deno.test("DescriptorRoom looks once for several connections, and again a second later", () => {
  const clock = new ManualClock();
  const looks: number[] = [];
  const room = new DescriptorRoom(clock, (count) => looks.push(count) > 0);
  for (let open = 0; open < 16; open++) assert.ok(room.hasRoom(open));
  assert.equal(looks.length, 1);
  assert.ok(room.hasRoom(16));
  assert.equal(looks.length, 2, "the seventeenth needs a look");
  clock.advance(1_000);
  assert.ok(room.hasRoom(3));
  assert.equal(looks.length, 3, "others may have taken what was free");
});

Deno.test("DescriptorRoom refuses when only the spare ones are left, and lets in as soon as more are", () => {
  let free = 30;
  const room = new DescriptorRoom(new ManualClock(), (count) => count <= free);
  assert.ok(room.hasRoom(0));
  free = 20;
  assert.ok(room.hasRoom(16), "few are left, but more than the spare ones");
  free = 7;
  assert.ok(!room.hasRoom(17));
  assert.ok(!room.hasRoom(3), "what was granted before does not count any more");
  free = 8;
  assert.ok(room.hasRoom(17));
});

Deno.test("DescriptorRoom counts what is still to be opened", () => {
  const room = new DescriptorRoom(new ManualClock(), (count) => count <= 30, 12);
  assert.ok(room.hasRoom(18, 18));
  assert.ok(!room.hasRoom(19, 19));
});

Deno.test("DescriptorRoom finds out about this process", () => {
  assert.ok(new DescriptorRoom(new ManualClock()).hasRoom(0));
});
