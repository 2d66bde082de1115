import assert from "node:assert/strict";
import { LinkPolicy, SAMPLE_MS } from "./link_policy.ts";

/** Runs a policy for some time on a path that carries `rateOf` bytes per millisecond with a number of connections. */
function run(policy: LinkPolicy, seconds: number, rateOf: (links: number) => number, from = 0): number {
  const end = from + seconds * 1_000;
  for (let now = from; now < end; now += SAMPLE_MS) {
    policy.sample({ now, rate: rateOf(policy.wanted), links: policy.wanted });
  }
  return end;
}

Deno.test("link policy keeps one connection while there is no bulk", () => {
  const policy = new LinkPolicy(8);
  run(policy, 60, () => 20);
  assert.equal(policy.wanted, 1);
});

Deno.test("link policy wants a connection for bulk at once", () => {
  const policy = new LinkPolicy(8);
  policy.sample({ now: 0, rate: 100, links: 1 });
  assert.equal(policy.wanted, 2);
});

Deno.test("link policy wants all connections where each carries as much", () => {
  const policy = new LinkPolicy(8);
  run(policy, 15, (links) => 360 * Math.max(1, links - 1));
  assert.equal(policy.wanted, 8);
});

Deno.test("link policy does not wait for all samples of a clear gain", () => {
  const policy = new LinkPolicy(8);
  run(policy, 4, (links) => 360 * Math.max(1, links - 1));
  assert.equal(policy.wanted, 8);
  const doubtful = new LinkPolicy(8);
  // Of 200 % more, 50 % came.
  run(doubtful, 1.75, () => 360);
  run(doubtful, 0.5, () => 550, 1_750);
  assert.equal(doubtful.wanted, 4, "not clear yet");
  run(doubtful, 0.5, () => 550, 2_250);
  assert.equal(doubtful.wanted, 8, "all samples are enough");
});

Deno.test("link policy gives up connections that bring nothing, and tries them ever less often", () => {
  const policy = new LinkPolicy(8);
  const trials: number[] = [];
  let before = 2;
  for (let now = 0; now < 120_000; now += SAMPLE_MS) {
    policy.sample({ now, rate: 10_000, links: policy.wanted });
    if (policy.wanted > 2 && before === 2) trials.push(now);
    before = policy.wanted;
  }
  const pauses = trials.slice(1).map((at, index) => at - trials[index]!);
  assert.ok(pauses.length >= 3, `${trials}`);
  for (const [index, pause] of pauses.slice(1).entries()) assert.ok(pause > pauses[index]!, `${pauses}`);
});

Deno.test("link policy gives up a trial whose connections cannot be made", () => {
  const policy = new LinkPolicy(8);
  for (let now = 0; now < 20_000; now += SAMPLE_MS) {
    policy.sample({ now, rate: 360, links: Math.min(2, policy.wanted) });
    assert.ok(policy.wanted <= 4, `${policy.wanted}`);
  }
});

Deno.test("link policy wants one connection after a minute without bulk", () => {
  const policy = new LinkPolicy(8);
  const end = run(policy, 15, (links) => 360 * Math.max(1, links - 1));
  const later = run(policy, 59, () => 0, end);
  assert.equal(policy.wanted, 8);
  run(policy, 3, () => 0, later);
  assert.equal(policy.wanted, 1);
});

Deno.test("link policy never wants more than its limit", () => {
  for (const max of [1, 2, 4]) {
    const policy = new LinkPolicy(max);
    run(policy, 30, (links) => 360 * links);
    assert.equal(policy.wanted, max);
  }
});
