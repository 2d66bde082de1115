import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";

/** Waits until a number above 0 stays as it is for a while: what is held back has no event that says so. */
export async function steady(what: string, read: () => number): Promise<void> {
  let before = -1;
  let same = 0;
  await eventually(what, () => {
    const now = read();
    same = now === before ? same + 1 : 0;
    before = now;
    assert.ok(same >= 8 && now > 0);
  });
}
