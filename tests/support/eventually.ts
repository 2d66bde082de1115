/** How long a test waits for something before it gives up, in milliseconds, unless it says otherwise. */
export const DEFAULT_DEADLINE_MS = 15_000;

/**
 * Asks again and again until `check` returns without throwing: only for states that announce themselves by no
 * event, such as those of another process. For events there is `within`.
 *
 * @param what What is waited for, for the message.
 * @param ms The deadline, in milliseconds.
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
        throw new Error(`Cannot wait any longer for: ${what}, ${ms} ms are over; last: ${cause}`, { cause });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
