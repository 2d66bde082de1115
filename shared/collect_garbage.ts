/**
 * Frees what nothing refers to any more, at once. V8 by itself lets about as many bytes of dead buffers gather as are
 * alive. Does nothing unless V8 was started with `--expose-gc`, as the tasks of both programs start it.
 */
export function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
