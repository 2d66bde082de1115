import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { OutageLog } from "./outage_log.ts";

Deno.test("an outage is logged when it begins, when its error changes, once a minute, and when it is over", () => {
  const clock = new ManualClock();
  const outages = new OutageLog({ clock });
  assert.equal(outages.recovered(), undefined);
  const logged: [number, number][] = [];
  for (let second = 0; second < 150; second++) {
    const outage = outages.failed(second < 100 ? "refused" : "unreachable");
    if (outage !== undefined) logged.push([second, outage.attempts]);
    clock.advance(1_000);
  }
  assert.deepEqual(logged, [[0, 1], [60, 61], [100, 101], [120, 121]]);
  assert.deepEqual(outages.recovered(), { attempts: 150, down_for_s: 150 });
  assert.deepEqual(outages.failed("refused"), { attempts: 1, down_for_s: 0 });
});

Deno.test("errors that alternate, or are new every time, get a bounded number of lines", () => {
  const clock = new ManualClock();
  const outages = new OutageLog({ clock });
  let turns = 0, fresh = 0;
  for (let attempt = 0; attempt < 50; attempt++) {
    if (outages.failed(`server ${attempt % 2}`) !== undefined) turns++;
  }
  assert.equal(turns, 2);
  outages.recovered();
  for (let attempt = 0; attempt < 50; attempt++) {
    if (outages.failed(`error ${attempt}`) !== undefined) fresh++;
  }
  assert.equal(fresh, 8);
});
