import type { Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import { Session } from "../../shared/mux/session.ts";
import type { Transport } from "../../shared/mux/transport.ts";

/** What becomes of a session after it was established. */
export interface EstablishedEvents {
  /** The server drains it: no stream can be opened any more. */
  draining(session: Session): void;
  /** It is gone. */
  closed(session: Session, error: SallyportError | undefined): void;
  /** A callback of one of its streams, or of the session, threw. */
  fault(error: SallyportError): void;
}

/** What a session of the agent is made of. */
export interface EstablishInit {
  clock: Clock;
  options: Partial<SessionOptions>;
  budget: MemoryBudget;
  events: EstablishedEvents;
  /** Ends the connection while its `hello` has not come. */
  signal: AbortSignal;
}

/**
 * Begins a session over a fresh connection and waits for the server's `hello`.
 * @throws SallyportError when the connection ends before it, with the reason that the server gave.
 */
export function establish(transport: Transport, init: EstablishInit): Promise<Session> {
  const { clock, options, budget, events, signal } = init;
  return new Promise((resolve, reject) => {
    let established = false;
    const session: Session = new Session({
      transport,
      role: "dialer",
      clock,
      options,
      budget,
      events: {
        open() {
          established = true;
          signal.removeEventListener("abort", abort);
          resolve(session);
        },
        fault: (error) => events.fault(error),
        draining: () => established && events.draining(session),
        closed(error) {
          signal.removeEventListener("abort", abort);
          if (established) events.closed(session, error);
          else reject(withoutHello(error));
        },
      },
    });
    const abort = () => session.close("going_away", "the agent needs it no more");
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
}

/** A server that does not let an agent in says nothing, so that a stranger learns nothing: its silence has to do. */
function withoutHello(error: SallyportError | undefined): SallyportError {
  if (error !== undefined && error.code !== "tunnel_down") return error;
  const why =
    "the server closed it before its hello, as it does when it does not accept the agent's certificate";
  return new SallyportError("tunnel_down", `Cannot use the connection: ${why}`, { cause: error });
}
