import type { Logger } from "../../shared/log.ts";
import type { Handler, InvocationContext } from "../handler.ts";
import { type Invocation, type RuntimeApi, runtimeError } from "./api.ts";

/** Milliseconds before its timeout at which a function's signal aborts. */
const RESERVE_MS = 500;

/** What {@linkcode serve} needs. */
export interface Service {
  readonly api: RuntimeApi;
  readonly handler: Handler;
  readonly log: Pick<Logger, "error">;
  /** Sets the variable from which the AWS library takes the trace id. @default {no tracing} */
  setTraceId?(id: string): void;
}

/** Serves invocations one after the other, forever. @throws When the Runtime API fails: the process must exit. */
export async function serve(service: Service): Promise<never> {
  for (;;) await serveOne(service);
}

/** Serves the next invocation. Errors of the handler are reported and logged; they do not end the loop. */
export async function serveOne({ api, handler, log, setTraceId }: Service): Promise<void> {
  const invocation = await api.next();
  setTraceId?.(invocation.traceId);
  // Not `withDeadline`: the handler still answers after the signal. Nor the shared clock: its long waits may be a second
  // late, which is more than the reserve.
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new DOMException("the function is about to time out", "TimeoutError")),
    Math.max(0, invocation.deadline - Date.now() - RESERVE_MS),
  );
  let result: unknown;
  try {
    result = await handler(JSON.parse(invocation.body), contextOf(invocation, deadline.signal));
  } catch (thrown) {
    const error = runtimeError(thrown);
    log.error("invocation failed", {
      request: invocation.id,
      error: `${error.errorType}: ${error.errorMessage}`,
      stack: error.stackTrace.join("\n"),
    });
    return await api.failed(invocation.id, error);
  } finally {
    clearTimeout(timer);
  }
  await api.succeeded(invocation.id, result);
}

function contextOf({ id, deadline }: Invocation, signal: AbortSignal): InvocationContext {
  return { awsRequestId: id, signal, getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()) };
}
