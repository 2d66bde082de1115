import assert from "node:assert/strict";

/** How long tests wait by default, in milliseconds. */
export const DEFAULT_DEADLINE_MS = 15_000;

/**
 * Repeats `check` until it returns without throwing: for states without an event, such as those of another process.
 * For events there is `within`.
 *
 * @param what What the test waits for, for the message.
 * @param ms The deadline in milliseconds.
 * @returns What `check` returned.
 * @throws {Error} With what `check` threw last, when the deadline passed.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  ms: number = DEFAULT_DEADLINE_MS,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    try {
      return await check();
    } catch (cause) {
      if (performance.now() >= end) {
        throw new Error(`Cannot wait any longer for ${what}: ${ms} ms have passed; last: ${cause}`, {
          cause,
        });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Waits until a number above 0 stays the same for a while: back-pressure has no event of its own. */
export async function eventuallyStable(what: string, read: () => number): Promise<void> {
  let before = -1;
  let same = 0;
  await eventually(what, () => {
    const now = read();
    same = now === before ? same + 1 : 0;
    before = now;
    assert.ok(same >= 8 && now > 0);
  });
}
