import assert from "node:assert/strict";
import { Backoff } from "./backoff.ts";

Deno.test("backoff doubles its range up to the longest delay", () => {
  const backoff = new Backoff();
  const tops = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
  for (const top of tops) {
    const delay = backoff.next();
    assert(delay >= top / 2 && delay <= top, `${delay} is not in ${top / 2}..${top}`);
  }
});

Deno.test("backoff stays within its limits however often it is asked", () => {
  const backoff = new Backoff({ minDelay: 10, maxDelay: 100 });
  for (let n = 0; n < 2_000; n++) {
    const delay = backoff.next();
    assert(delay >= 10 && delay <= 100, `delay ${n} is ${delay}`);
  }
});

Deno.test("backoff starts over after a reset", () => {
  const backoff = new Backoff();
  for (let n = 0; n < 10; n++) backoff.next();
  backoff.reset();
  assert(backoff.next() <= 500);
});

Deno.test("backoff spreads attempts that begin at the same time", () => {
  const delays = new Set(Array.from({ length: 100 }, () => new Backoff().next()));
  assert(delays.size > 20, `only ${delays.size} different delays`);
});
