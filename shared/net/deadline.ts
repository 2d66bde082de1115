import type { Clock } from "../clock.ts";
import { SallyportError } from "../errors.ts";
import { systemClock } from "../system_clock.ts";

/** When waiting ends without a result, and with which error. */
export interface Deadline {
  /** What is being done, so that "Cannot …" can stand before it: "connect to example.org:443". */
  readonly doing: string;
  /** Milliseconds until the deadline. @default {none} */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait early. @default {none} */
  readonly signal?: AbortSignal | undefined;
  /** The source of time. @default the machine's clock */
  readonly clock?: Pick<Clock, "after">;
  /** The error of a missed deadline. @default {`target_timeout`: "Cannot …: no answer within 500 ms"} */
  late?(): Error;
  /** The error of an aborted signal. @default {`cancelled`: "Cannot …: it is no longer needed"} */
  cancelled?(): Error;
}

/**
 * Like `new Promise(start)`, but rejects at the deadline and as soon as the signal aborts. The timer and the signal's
 * listener are removed once, when the promise settles.
 *
 * @param start Begins the work, unless the signal has already aborted. It returns what to do when the promise
 * rejects for any reason, such as destroying a socket; on success the resource belongs to the caller.
 *
 * @example
 * ```ts
 * import { connect, type Socket } from "node:net";
 * import { systemClock } from "../system_clock.ts";
 * import { type Deadline, promiseWithDeadline, sleep, withDeadline } from "./deadline.ts";
 *
 * function dial(host: string, port: number, deadline: Deadline): Promise<Socket> {
 *   return promiseWithDeadline(deadline, (resolve, reject) => {
 *     const socket = connect({ host, port });
 *     socket.once("connect", () => resolve(socket));
 *     socket.on("error", reject);
 *     return () => socket.destroy();
 *   });
 * }
 *
 * // Two attempts, one second apart, in 10 s together.
 * const socket = await withDeadline({ doing: "connect to the server", timeoutMs: 10_000 }, async (signal) => {
 *   const attempt = () => dial("server.example", 8443, { doing: "connect", timeoutMs: 4_000, signal });
 *   return await attempt().catch(() => sleep(systemClock, 1_000, signal).then(attempt));
 * });
 * socket.end();
 * ```
 */
export function promiseWithDeadline<T>(
  deadline: Deadline,
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => (() => void) | void,
): Promise<T> {
  const { timeoutMs, signal, clock = systemClock } = deadline;
  if (signal?.aborted) return Promise.reject(cancelled(deadline));
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let isSettled = false;
  let hasFailed = false;
  let release: (() => void) | void = undefined;
  const settle = (): boolean => {
    if (isSettled) return false;
    isSettled = true;
    cancelTimer?.();
    signal?.removeEventListener("abort", abort);
    return true;
  };
  const fail = (reason: unknown) => {
    if (!settle()) return;
    hasFailed = true;
    reject(reason);
    release?.();
  };
  const abort = () => fail(cancelled(deadline));
  const cancelTimer = timeoutMs === undefined
    ? undefined
    : clock.after(timeoutMs, () => fail(late(deadline)));
  signal?.addEventListener("abort", abort);
  try {
    release = start((value) => settle() && resolve(value), fail);
  } catch (error) {
    fail(error);
  }
  // It failed before `start` could say how to clean up.
  if (hasFailed) release?.();
  return promise;
}

/**
 * Waits for what `task` returns, but no longer than the deadline, and only until the signal aborts.
 *
 * @param task Gets a signal that aborts when the wait ends without a result. A result that comes later is dropped.
 */
export function withDeadline<T>(
  deadline: Deadline,
  task: (signal: AbortSignal) => T | PromiseLike<T>,
): Promise<T> {
  return promiseWithDeadline<T>(deadline, (resolve, reject) => {
    const ended = new AbortController();
    Promise.try(() => task(ended.signal)).then(resolve, reject);
    return () => ended.abort();
  });
}

function late({ doing, timeoutMs, late }: Deadline): Error {
  return late?.() ??
    new SallyportError("target_timeout", `Cannot ${doing}: no answer within ${timeoutMs} ms`);
}

function cancelled({ doing, cancelled }: Deadline): Error {
  return cancelled?.() ?? new SallyportError("cancelled", `Cannot ${doing}: it is no longer needed`);
}

/**
 * Waits for `ms` milliseconds.
 * @throws The signal's reason as soon as it aborts.
 */
export function sleep(clock: Pick<Clock, "after">, ms: number, signal: AbortSignal): Promise<void> {
  const cancelled = () => signal.reason;
  return promiseWithDeadline(
    { doing: "wait", signal, cancelled },
    (resolve) => clock.after(ms, () => resolve()),
  );
}
