import type { SallyportError } from "../../shared/errors.ts";
import type { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import { Session } from "../../shared/mux/session.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { Payload } from "../../shared/protocol/messages.ts";
import type { Clock } from "../../shared/clock.ts";
import { systemClock } from "../../shared/system_clock.ts";
import { within } from "./within.ts";

/** One end of a pair of sessions, with what happened to it. */
export interface SessionEnd {
  session: Session;
  /** Resolves with the next stream that the peer opens. */
  nextStream(): Promise<MuxStream>;
  /** Resolves when the session is over. */
  closed: Promise<SallyportError | undefined>;
  /** Resolves when the peer's hello has come. */
  opened: Promise<void>;
  /** Resolves when the session begins to drain. */
  draining: Promise<void>;
  /** What callbacks threw; a test takes out what it expects. */
  faults: SallyportError[];
  /** What the peer said in `status`. */
  status: Payload<"status">[];
}

/** How to make a pair of sessions. */
export interface PairOptions {
  dialer?: Partial<SessionOptions>;
  listener?: Partial<SessionOptions>;
  clock?: Clock;
  budget?: MemoryBudget;
  /** The listener's memory, if it is not that of both. */
  listenerBudget?: MemoryBudget;
  /** Whether each `connect_request` is answered with `connect_ack` as it arrives. @default false */
  answers?: boolean;
}

/** Two sessions over the two ends of one connection, both open. */
export async function sessionPair(
  [a, b]: [Transport, Transport],
  options: PairOptions = {},
): Promise<{ dialer: SessionEnd; listener: SessionEnd }> {
  const { clock, budget, answers, listenerBudget = budget } = options;
  const dialer = sessionEnd(a, "dialer", options.dialer, clock, budget, answers);
  const listener = sessionEnd(b, "listener", options.listener, clock, listenerBudget, answers);
  await within(5_000, Promise.all([dialer.opened, listener.opened]), "both sessions open");
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
  const faults: SallyportError[] = [];
  const arrived: MuxStream[] = [];
  const waiting: ((stream: MuxStream) => void)[] = [];
  const session = new Session({
    transport,
    role,
    options,
    clock,
    ...(budget === undefined ? {} : { budget }),
    events: {
      open: () => opened.resolve(),
      draining: () => draining.resolve(),
      status: (each) => status.push(each),
      fault: (error) => faults.push(error),
      closed: (error) => {
        opened.resolve();
        closed.resolve(error);
      },
      stream: (stream) => {
        if (answers && stream.opening.type === "connect_request") {
          stream.send({ type: "connect_ack", payload: {} });
        }
        const taker = waiting.shift();
        if (taker === undefined) arrived.push(stream);
        else taker(stream);
      },
    },
  });
  const nextStream = () => {
    const stream = arrived.shift();
    if (stream !== undefined) return Promise.resolve(stream);
    return within(5_000, new Promise<MuxStream>((resolve) => waiting.push(resolve)), "a stream arrives");
  };
  const promises = { closed: closed.promise, opened: opened.promise, draining: draining.promise };
  return { session, nextStream, status, faults, ...promises };
}
