import type { Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import type { LinkCounts } from "../../shared/mux/session/link_set.ts";
import { Session } from "../../shared/mux/session/session.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { Payload } from "../../shared/protocol/messages.ts";
import { sessionName, type TraceFactory } from "../../shared/trace/session_trace.ts";

/** Events of an open session. */
export interface SessionLifeEvents {
  /** The server drains it: it accepts no new streams. */
  draining(session: Session): void;
  /** Its connections changed; `error` is why one was lost. With no open one, it waits for a new one. */
  links(session: Session, counts: LinkCounts, error: SallyportError | undefined): void;
  /** It has closed. */
  closed(session: Session, error: SallyportError | undefined): void;
  /** A callback of one of its streams, or of the session, threw. */
  consumerError(error: SallyportError): void;
}

/** What {@linkcode openSession} needs. */
export interface OpenSessionInit {
  clock: Clock;
  options: Partial<SessionOptions>;
  budget: MemoryBudget;
  events: SessionLifeEvents;
  /** Traces what happens inside the session. @default {nothing is traced} */
  trace?: TraceFactory | undefined;
  /** Closes the connection if `hello` has not arrived. */
  signal: AbortSignal;
}

/**
 * Starts a session over a new connection and waits for the server's `hello`.
 * @throws SallyportError with the server's reason, if the connection ends before `hello`.
 */
export function openSession(transport: Transport, init: OpenSessionInit): Promise<Session> {
  const { clock, options, budget, events, signal, trace } = init;
  const key = sessionKey();
  return new Promise((resolve, reject) => {
    let isOpen = false;
    const session: Session = new Session({
      role: "dialer",
      key,
      name: sessionName(key),
      trace: trace?.(key),
      clock,
      options,
      budget,
      events: {
        open() {
          isOpen = true;
          signal.removeEventListener("abort", abort);
          resolve(session);
        },
        consumerError: (error) => events.consumerError(error),
        draining: () => isOpen && events.draining(session),
        links: (counts, error) => isOpen && events.links(session, counts, error),
        closed(error) {
          signal.removeEventListener("abort", abort);
          if (isOpen) events.closed(session, error);
          else reject(withoutHello(error));
        },
      },
    });
    session.dialled(transport);
    const abort = () => session.close("going_away", "no longer needed");
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
}

/** A new session's id: 128 random bits (SPEC.md 3.6). */
function sessionKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** A server gives strangers no reason, so the missing `hello` is all there is to report. */
function withoutHello(error: SallyportError | undefined): SallyportError {
  if (error !== undefined && error.code !== "tunnel_down") return error;
  const reason =
    "the server closed it before its hello, as it does if it does not accept the agent's certificate";
  return new SallyportError("tunnel_down", `Cannot use the connection: ${reason}`, { cause: error });
}

/**
 * Queries a server's status over a separate connection, and closes it.
 *
 * @param options With the id of this process, so that it is not counted twice.
 * @throws {SallyportError} When the connection ends or the signal aborts before the status arrives.
 */
export function queryStatus(
  transport: Transport,
  { clock, options, signal }: { clock: Clock; options: Partial<SessionOptions>; signal: AbortSignal },
): Promise<Payload<"status">> {
  const { promise, resolve, reject } = Promise.withResolvers<Payload<"status">>();
  const closed = Promise.withResolvers<void>();
  const session = new Session({
    role: "dialer",
    key: sessionKey(),
    clock,
    options,
    budget: new MemoryBudget(0),
    events: {
      status: resolve,
      consumerError: reject,
      closed(error) {
        reject(
          error ?? new SallyportError("tunnel_down", "Cannot query the server: it closed the connection"),
        );
        closed.resolve();
      },
    },
  });
  session.dialled(transport);
  const abort = () => session.close("going_away", "no longer needed");
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  return promise.finally(async () => {
    signal.removeEventListener("abort", abort);
    session.close("going_away", "status received");
    await closed.promise;
  });
}
