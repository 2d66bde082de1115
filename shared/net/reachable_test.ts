import assert from "node:assert/strict";
import { reachable } from "./reachable.ts";

Deno.test("what listens on every address is reached at one of this machine, and all else where it listens", () => {
  assert.deepEqual(["0.0.0.0", "::", "192.0.2.1", "fd00::1"].map(reachable), [
    "127.0.0.1",
    "::1",
    "192.0.2.1",
    "fd00::1",
  ]);
});
