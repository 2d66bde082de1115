/** Timers of the waits that have not ended. */
const waits = new Set<ReturnType<typeof setTimeout>>();

/** Waits for `promise`; fails when it takes longer than `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Cannot wait any longer for ${what}: ${ms} ms have passed`)),
    ms,
  );
  waits.add(timer);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
    waits.delete(timer);
  }
}

/** Gives up all waits, without an error: their timers would go on in the next test. For a test that has failed. */
export function abandonWaits(): void {
  for (const timer of waits) clearTimeout(timer);
  waits.clear();
}
