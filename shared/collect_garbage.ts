/**
 * Collects garbage at once. Left alone, V8 lets about as many bytes of unused buffers accumulate as are in use. Has no
 * effect unless V8 runs with `--expose-gc`, as in the tasks of both programs.
 */
export function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
