import assert from "node:assert/strict";
import { within } from "../../tests/support/within.ts";
import { reloadSignals, requestCounter, stopSignals } from "./signals.ts";

Deno.test("stop signals within 500 ms are one request", () => {
  let time = 0;
  const heard: string[] = [];
  const clock = { now: () => time, wallTime: () => time, after: () => assert.fail("it has no timer") };
  const signal = requestCounter((name, count) => heard.push(`${name} ${count}`), clock);
  for (
    const [at, name] of [[0, "SIGINT"], [3, "SIGINT"], [499, "SIGTERM"], [500, "SIGINT"], [
      900,
      "SIGINT",
    ]] as const
  ) {
    time = at;
    signal(name);
  }
  assert.deepEqual(heard, ["SIGINT 1", "SIGINT 2"]);
});

Deno.test({
  name: "stop signals reach the listener",
  ignore: Deno.build.os === "windows",
  async fn() {
    const heard = Promise.withResolvers<string>();
    // A signal listener does not keep the process alive; this timer does.
    const deadline = setTimeout(() => heard.reject(new Error("no signal within 5 s")), 5_000);
    const end = stopSignals((name, count) => heard.resolve(`${name} ${count}`));
    try {
      Deno.kill(Deno.pid, "SIGTERM");
      assert.equal(await heard.promise, "SIGTERM 1");
    } finally {
      clearTimeout(deadline);
      end();
    }
  },
});

Deno.test({
  name: "reload signals reach the listener",
  ignore: Deno.build.os === "windows",
  async fn() {
    const heard = Promise.withResolvers<string>();
    const end = reloadSignals(heard.resolve);
    try {
      Deno.kill(Deno.pid, "SIGHUP");
      assert.equal(await within(5_000, heard.promise, "the signal"), "SIGHUP");
    } finally {
      end();
    }
  },
});
