import type { Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import { Session } from "../../shared/mux/session.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { Payload } from "../../shared/protocol/messages.ts";

/**
 * Asks a server what it serves, over a connection of its own, which is closed then.
 *
 * @param options With the id of this process, so that it is not counted a second time.
 * @throws {SallyportError} When the connection ends, or the signal aborts, before the server has said it.
 */
export function askStatus(
  transport: Transport,
  { clock, options, signal }: { clock: Clock; options: Partial<SessionOptions>; signal: AbortSignal },
): Promise<Payload<"status">> {
  const { promise, resolve, reject } = Promise.withResolvers<Payload<"status">>();
  const over = Promise.withResolvers<void>();
  const session = new Session({
    transport,
    role: "dialer",
    clock,
    options,
    budget: new MemoryBudget(0),
    events: {
      status: resolve,
      fault: reject,
      closed(error) {
        reject(error ?? new SallyportError("tunnel_down", "Cannot ask the server: it closed the connection"));
        over.resolve();
      },
    },
  });
  const abort = () => session.close("going_away", "nobody wants to know any more");
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  return promise.finally(async () => {
    signal.removeEventListener("abort", abort);
    session.close("going_away", "it was all that there was to ask");
    await over.promise;
  });
}
