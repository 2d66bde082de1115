import type { Logger } from "../../shared/log.ts";
import type { Handler, InvocationContext } from "../invocation.ts";
import { type Invocation, type RuntimeApi, runtimeError } from "./api.ts";

/** Milliseconds before the end of its time at which a function is told to answer. */
const RESERVE = 500;

/** What {@linkcode serve} needs. */
export interface Service {
  readonly api: RuntimeApi;
  readonly handler: Handler;
  readonly log: Pick<Logger, "error">;
  /** Sets the variable that AWS' library sends its trace id from. @default {nobody traces} */
  setTraceId?(id: string): void;
}

/** Serves invocations one after the other, for ever. @throws When the Runtime API fails: the process has to end. */
export async function serve(service: Service): Promise<never> {
  for (;;) await serveOne(service);
}

/** Serves the next invocation. What the handler throws is handed in and logged; nothing of it ends the loop. */
export async function serveOne({ api, handler, log, setTraceId }: Service): Promise<void> {
  const invocation = await api.next();
  setTraceId?.(invocation.traceId);
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new DOMException("the function's time is over", "TimeoutError")),
    Math.max(0, invocation.deadline - Date.now() - RESERVE),
  );
  let result: unknown;
  try {
    result = await handler(JSON.parse(invocation.body), contextOf(invocation, deadline.signal));
  } catch (thrown) {
    const error = runtimeError(thrown);
    log.error("invocation failed", {
      request: invocation.id,
      reason: `${error.errorType}: ${error.errorMessage}`,
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
