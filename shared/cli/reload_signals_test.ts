import assert from "node:assert/strict";
import { within } from "../../tests/support/within.ts";
import { reloadSignals } from "./reload_signals.ts";

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
