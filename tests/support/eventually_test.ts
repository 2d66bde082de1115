import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";

Deno.test("eventually repeats the check until it holds, and returns its result", async () => {
  let calls = 0;
  const answer = await eventually("third time", () => {
    assert.equal(++calls, 3);
    return calls;
  });
  assert.equal(answer, 3);
});

Deno.test("eventually gives up with the last error of the check", async () => {
  const check = () => assert.equal(1, 2, "one is not two");
  await assert.rejects(eventually("never", check, 5), /never: 5 ms.*one is not two/);
});
