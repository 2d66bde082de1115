import type { SallyportError } from "../../../shared/errors.ts";
import type { MemoryBudget } from "../../../shared/mux/flow/memory_budget.ts";
import type { SessionOptions } from "../../../shared/mux/options.ts";
import { acceptLink } from "../../../shared/mux/session/accept_link.ts";
import { Session } from "../../../shared/mux/session/session.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { Transport } from "../../../shared/mux/transport.ts";
import type { Payload } from "../../../shared/protocol/messages.ts";
import type { Clock } from "../../../shared/clock.ts";
import { systemClock } from "../../../shared/system_clock.ts";
import { within } from "../within.ts";

/** The id of every session in tests. */
export const SESSION_KEY = "0123456789abcdef".repeat(2);

/** One end of a pair of sessions, with its events. */
export interface SessionEnd {
  session: Session;
  /** Resolves with the next stream that the peer opens. */
  nextStream(): Promise<MuxStream>;
  /** Resolves when the session is closed. */
  closed: Promise<SallyportError | undefined>;
  /** Resolves when the peer's `hello` has arrived. */
  opened: Promise<void>;
  /** Resolves when the session begins to drain. */
  draining: Promise<void>;
  /** What callbacks threw; a test removes what it expects. */
  consumerErrors: SallyportError[];
  /** Payloads of the `status` messages of the peer. */
  status: Payload<"status">[];
  /** Adds a link over this end of a further connection. */
  join(transport: Transport): void;
  /** Resolves when there are this many links. */
  linked(count: number): Promise<void>;
}

/** Options of a pair of sessions. */
export interface PairOptions {
  dialer?: Partial<SessionOptions>;
  listener?: Partial<SessionOptions>;
  clock?: Clock;
  budget?: MemoryBudget;
  /** The listener's memory. @default `budget` */
  listenerBudget?: MemoryBudget;
  /** Whether each `connect_request` is answered with `connect_ack` on arrival. @default false */
  answers?: boolean;
}

/** Two sessions over the two ends of one connection, and of further ones as links; all of them are open. */
export async function sessionPair(
  [a, b]: [Transport, Transport],
  options: PairOptions = {},
  further: readonly [Transport, Transport][] = [],
): Promise<{ dialer: SessionEnd; listener: SessionEnd }> {
  const { clock, budget, answers, listenerBudget = budget } = options;
  const dialer = sessionEnd(a, "dialer", options.dialer, clock, budget, answers);
  const listener = sessionEnd(b, "listener", options.listener, clock, listenerBudget, answers);
  await within(5_000, Promise.all([dialer.opened, listener.opened]), "both sessions open");
  for (const [near, far] of further) {
    listener.join(far);
    dialer.join(near);
  }
  const linked = [dialer, listener].map((end) => end.linked(1 + further.length));
  await within(5_000, Promise.all(linked), "all links open");
  return { dialer, listener };
}

/** A session over one end of a connection. */
export function sessionEnd(
  transport: Transport,
  role: "dialer" | "listener",
  options: Partial<SessionOptions> = {},
  clock: Clock = systemClock,
  budget?: MemoryBudget,
  answers = false,
): SessionEnd {
  const closed = Promise.withResolvers<SallyportError | undefined>();
  const opened = Promise.withResolvers<void>();
  const draining = Promise.withResolvers<void>();
  const status: Payload<"status">[] = [];
  const consumerErrors: SallyportError[] = [];
  const arrivals = new StreamArrivals();
  let changed = Promise.withResolvers<void>();
  const session = new Session({
    role,
    key: crypto.randomUUID().replaceAll("-", ""),
    options,
    clock,
    ...(budget === undefined ? {} : { budget }),
    events: {
      open: () => opened.resolve(),
      draining: () => draining.resolve(),
      links: () => {
        changed.resolve();
        changed = Promise.withResolvers();
      },
      status: (each) => status.push(each),
      consumerError: (error) => consumerErrors.push(error),
      closed: (error) => {
        opened.resolve();
        closed.resolve(error);
      },
      stream: (stream) => {
        if (answers && stream.opening.type === "connect_request") {
          stream.send({ type: "connect_ack", payload: {} });
        }
        arrivals.add(stream);
      },
    },
  });
  const refused = (error: SallyportError) => {
    if (session.state === "greeting") closed.resolve(error);
  };
  const join = (transport: Transport) => {
    if (role === "dialer") return void session.dialled(transport);
    const find = () => session.state === "greeting" ? undefined : session;
    acceptLink({ transport, clock, options, find, create: () => session, closed: refused });
  };
  join(transport);
  const linked = async (count: number) => {
    while (session.linkCounts.open !== count) await changed.promise;
  };
  const promises = { closed: closed.promise, opened: opened.promise, draining: draining.promise };
  return { session, nextStream: () => arrivals.next(), join, linked, status, consumerErrors, ...promises };
}

/** Streams that the peer opened, in order, for a test that takes them one at a time. */
class StreamArrivals {
  readonly #arrived: MuxStream[] = [];
  readonly #waiting: ((stream: MuxStream) => void)[] = [];

  add(stream: MuxStream): void {
    const resolve = this.#waiting.shift();
    if (resolve === undefined) this.#arrived.push(stream);
    else resolve(stream);
  }

  next(): Promise<MuxStream> {
    const stream = this.#arrived.shift();
    if (stream !== undefined) return Promise.resolve(stream);
    const { promise, resolve } = Promise.withResolvers<MuxStream>();
    this.#waiting.push(resolve);
    return within(5_000, promise, "a stream arrives");
  }
}
