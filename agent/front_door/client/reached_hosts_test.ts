import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { ReachedHosts } from "./reached_hosts.ts";

const TEN_MINUTES = 600_000;

Deno.test("ReachedHosts remembers a host and port for 10 minutes after it was last reached", () => {
  const clock = new ManualClock();
  const hosts = new ReachedHosts(clock);
  hosts.reached("a.test:443");
  clock.advance(TEN_MINUTES - 1);
  assert.deepEqual([hosts.has("a.test:443"), hosts.has("a.test:80"), hosts.size], [true, false, 1]);
  hosts.reached("a.test:443");
  clock.advance(TEN_MINUTES - 1);
  assert.equal(hosts.has("a.test:443"), true);
  clock.advance(1);
  assert.deepEqual([hosts.has("a.test:443"), hosts.size], [false, 0]);
});

Deno.test("ReachedHosts forgets a host that was not reached, and only that one", () => {
  const hosts = new ReachedHosts(new ManualClock());
  hosts.reached("a.test:443");
  hosts.reached("b.test:443");
  hosts.forget("a.test:443");
  hosts.forget("c.test:443");
  assert.deepEqual([hosts.has("a.test:443"), hosts.has("b.test:443"), hosts.size], [false, true, 1]);
});

Deno.test("ReachedHosts remembers 1,024 hosts and forgets the one that was reached longest ago", () => {
  const hosts = new ReachedHosts(new ManualClock());
  for (let i = 0; i < 1_024; i++) hosts.reached(`${i}.test:443`);
  hosts.reached("0.test:443");
  hosts.reached("one-more.test:443");
  assert.deepEqual([hosts.size, hosts.has("0.test:443"), hosts.has("1.test:443")], [1_024, true, false]);
});
