import { systemClock } from "../../shared/system_clock.ts";

/**
 * Waits for what cannot be ended; when it takes too long it is left behind.
 *
 * @param late Makes the error for that.
 */
export async function inTime<T>(promise: Promise<T>, timeoutMs: number, late: () => Error): Promise<T> {
  const over = Promise.withResolvers<never>();
  const cancel = systemClock.after(timeoutMs, () => over.reject(late()));
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    cancel();
  }
}
