import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { HeldMemory, type HeldShare } from "./held_memory.ts";

/** A share that sheds 10 bytes at a time. */
function shareOf(
  memory: HeldMemory,
  bytes: number,
  client?: string,
): { share: HeldShare; sheds: () => number } {
  let sheds = 0;
  const share: HeldShare = memory.share(() => {
    sheds++;
    share.change(-Math.min(10, share.held));
  }, client);
  share.change(bytes);
  return { share, sheds: () => sheds };
}

Deno.test("held memory is the sum of its shares, and tight above half of its limit", () => {
  const memory = new HeldMemory(100);
  const { share } = shareOf(memory, 30);
  shareOf(memory, 20);
  assert.deepEqual([memory.total, memory.tight], [50, false]);
  share.change(1);
  assert.deepEqual([memory.total, memory.tight], [51, true]);
});

Deno.test("held memory is tight only for clients above their fair share of half the limit (SPEC 5.5)", () => {
  const memory = new HeldMemory(100);
  const greedy = memory.share(() => {}, "greedy");
  const modest = memory.share(() => {}, "modest");
  const idle = memory.share(() => {}, "idle");
  const tight = () => ["greedy", "modest", "idle"].map((client) => memory.tightFor(client));
  greedy.change(45);
  assert.deepEqual(tight(), [false, false, false], "less than half is used");
  modest.change(25);
  assert.deepEqual(tight(), [true, false, false]);
  modest.change(1);
  assert.deepEqual(tight(), [true, true, false], "two have 25 each");
  idle.change(1);
  greedy.change(-29);
  modest.change(14);
  assert.deepEqual(tight(), [false, true, false], "three have 17 each");
});

Deno.test("held memory sheds from the largest share until its limit is met, but not at once (SPEC 5.5)", async () => {
  const memory = new HeldMemory(100);
  const greedy = shareOf(memory, 80);
  const modest = shareOf(memory, 15);
  modest.share.change(30);
  assert.equal(greedy.sheds(), 0, "nothing happens during the call");
  await Promise.resolve();
  assert.deepEqual([greedy.sheds(), modest.sheds(), memory.total], [3, 0, 95]);
});

Deno.test("held memory sheds at once when asked to, and not again afterwards", async () => {
  const memory = new HeldMemory(100);
  const { share, sheds } = shareOf(memory, 125);
  memory.settle();
  assert.deepEqual([sheds(), memory.total], [3, 95]);
  memory.settle();
  await Promise.resolve();
  assert.equal(sheds(), 3);
  share.change(20);
  await Promise.resolve();
  assert.deepEqual([sheds(), memory.total], [5, 95], "later ones are deferred again");
});

Deno.test("held memory does not shed while it sheds", () => {
  const memory = new HeldMemory(100);
  let sheds = 0;
  const share: HeldShare = memory.share(() => {
    sheds++;
    // A stream that is reset may make others write.
    memory.settle();
    share.change(-10);
  });
  share.change(125);
  memory.settle();
  assert.deepEqual([sheds, memory.total], [3, 95]);
});

Deno.test("held memory asks no closed share, and stops when nothing is given back", async () => {
  const memory = new HeldMemory(10);
  const gone = shareOf(memory, 0);
  gone.share.close();
  let asked = 0;
  memory.share(() => asked++).change(50);
  await Promise.resolve();
  assert.deepEqual([asked, gone.sheds(), memory.total], [1, 0, 50]);
});

Deno.test("held memory checks again whenever more is added", async () => {
  const memory = new HeldMemory(10);
  const { share, sheds } = shareOf(memory, 15);
  await Promise.resolve();
  share.change(15);
  await Promise.resolve();
  assert.deepEqual([sheds(), memory.total], [2, 10]);
});

Deno.test("held memory sheds from the client that holds most over all of its connections (SPEC 5.5)", async () => {
  const memory = new HeldMemory(100);
  const modest = shareOf(memory, 30, "modest");
  const greedy = [20, 25, 20].map((bytes) => shareOf(memory, bytes, "greedy"));
  greedy[0]!.share.change(10);
  await Promise.resolve();
  assert.deepEqual([modest.sheds(), memory.total], [0, 95]);
  assert.deepEqual(greedy.map(({ sheds }) => sheds()), [1, 0, 0], "the largest of these");
});

Deno.test("held memory collects garbage after every 8 MiB that are added while it is short", () => {
  let collections = 0;
  const memory = new HeldMemory(1_000_000, { collect: () => collections++, clock: new ManualClock() });
  const share = memory.share(() => {});
  const churn = (bytes: number, times: number) => {
    for (let i = 0; i < times; i++) {
      share.change(bytes);
      share.change(-bytes);
    }
  };
  churn(600_000, 100);
  assert.equal(collections, 0);
  share.change(800_000);
  churn(100_000, 180);
  assert.equal(collections, 2);
  share.change(-800_000);
  share.close();
});

Deno.test("held memory collects garbage for at most four fifths of the time", () => {
  const clock = new ManualClock();
  const began: number[] = [];
  const collect = () => {
    began.push(clock.now());
    clock.advance(20);
  };
  const memory = new HeldMemory(30_000_000, { collect, clock });
  const share = memory.share(() => {});
  share.change(21_000_000);
  const start = clock.now();
  while (clock.now() - start < 1_000) {
    share.change(8_400_000);
    share.change(-8_400_000);
    clock.advance(1);
  }
  const gaps = began.slice(1).map((at, index) => at - began[index]!);
  assert.ok(gaps.length > 1 && gaps.every((gap) => gap >= 25 && gap <= 26), `${gaps}`);
  share.change(-21_000_000);
  share.close();
});
