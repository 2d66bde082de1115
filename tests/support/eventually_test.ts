import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";

Deno.test("eventually asks until the check holds and returns what it returned", async () => {
  let asked = 0;
  const answer = await eventually("third time", () => {
    assert.equal(++asked, 3);
    return asked;
  });
  assert.equal(answer, 3);
});

Deno.test("eventually gives up with what the check met last", async () => {
  const check = () => assert.equal(1, 2, "one is not two");
  await assert.rejects(eventually("never", check, 5), /never, 5 ms.*one is not two/);
});
