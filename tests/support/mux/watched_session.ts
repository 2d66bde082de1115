import assert from "node:assert/strict";
import type { SallyportError } from "../../../shared/errors.ts";
import { MemoryBudget } from "../../../shared/mux/flow/memory_budget.ts";
import type { SessionOptions } from "../../../shared/mux/options.ts";
import { acceptLink } from "../../../shared/mux/session/accept_link.ts";
import { Session } from "../../../shared/mux/session/session.ts";
import type { SessionInit } from "../../../shared/mux/session/session_init.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { Transport } from "../../../shared/mux/transport.ts";
import type { ManualClock } from "../manual_clock.ts";
import { SESSION_KEY } from "./session_pair.ts";

/** What a test does with a stream. */
export type StreamAct = "write" | "end" | "reset" | "resume" | "consume";

/** Options of both ends. */
export const SMALL_WINDOWS: Partial<SessionOptions> = {
  initialWindow: 4_000,
  maxWindow: 30_000,
  maxStreams: 4,
  queueHighMark: 9_000,
  queueLowMark: 2_000,
};

/** One end of a stream, with what it sent and received. */
export class WatchedStream {
  readonly stream: MuxStream;
  sent = 0;
  got = 0;
  /** Errors of its `closed` events; one is right. */
  readonly closed: (SallyportError | undefined)[] = [];
  #ended = false;
  #gotEnd = false;
  #unconsumed = 0;

  constructor(stream: MuxStream) {
    this.stream = stream;
    stream.listen({
      data: (bytes) => {
        assert.equal(this.#gotEnd, false, "bytes after the end");
        for (const byte of bytes) {
          if (byte !== this.got++ % 251) assert.fail(`byte ${this.got} is out of order`);
        }
        this.#unconsumed += bytes.byteLength;
      },
      end: () => this.#gotEnd = true,
      closed: (error) => this.closed.push(error),
    });
  }

  act(act: StreamAct, size: number): void {
    const { stream } = this;
    if (act === "write" && !this.#ended && !stream.over) {
      stream.write(pattern(this.sent, size));
      this.sent += size;
    } else if (act === "end") {
      stream.end();
      this.#ended = true;
    } else if (act === "reset" && size % 3 === 0) stream.reset("cancelled", "x");
    else if (act === "resume") stream.resume();
    else if (act === "consume") {
      stream.consumed(this.#unconsumed);
      this.#unconsumed = 0;
    }
  }
}

/** A session, and its events so far. */
export interface RecordedSession {
  readonly session: Session;
  /** Errors of its `closed` events; one is right. */
  readonly closed: (SallyportError | undefined)[];
  readonly consumerErrors: SallyportError[];
}

/** Makes a session that has {@linkcode SESSION_KEY}. @param stream Takes a stream that the peer opened. */
export function recordedSession(
  init: Pick<SessionInit, "role" | "clock" | "budget" | "options">,
  stream: (stream: MuxStream) => void,
): RecordedSession {
  const closed: (SallyportError | undefined)[] = [];
  const consumerErrors: SallyportError[] = [];
  const session = new Session({
    ...init,
    key: SESSION_KEY,
    events: {
      stream,
      closed: (error) => closed.push(error),
      consumerError: (error) => consumerErrors.push(error),
    },
  });
  return { session, closed, consumerErrors };
}

/** A session whose streams are watched: no byte may be lost, duplicated or reordered. */
export class WatchedSession {
  readonly streams: WatchedStream[] = [];
  readonly byId = new Map<number, WatchedStream>();
  readonly budget = new MemoryBudget(1_000_000);
  readonly #recorded: RecordedSession;
  readonly #clock: ManualClock;
  readonly #options: Partial<SessionOptions>;
  #hasBegun = false;

  constructor(role: "dialer" | "listener", clock: ManualClock, options: Partial<SessionOptions>) {
    this.#clock = clock;
    this.#options = options;
    this.#recorded = recordedSession({ role, clock, budget: this.budget, options }, (stream) => {
      stream.send({ type: "connect_ack", payload: {} });
      this.#watch(stream);
    });
  }

  get session(): Session {
    return this.#recorded.session;
  }

  /** Why the session ended. */
  get error(): SallyportError | undefined {
    return this.#recorded.closed[0];
  }

  /** Takes a connection of the dialer as a link. */
  accept(transport: Transport): void {
    const find = () => this.#hasBegun && this.session.state !== "closed" ? this.session : undefined;
    const create = () => {
      this.#hasBegun = true;
      return this.session;
    };
    acceptLink({ transport, clock: this.#clock, options: this.#options, find, create });
  }

  /** Opens a stream that begins with `size` bytes, if there may be another. */
  open(size: number): void {
    if (this.session.capacity <= 0) return;
    const opening = { type: "connect_request", payload: { host: "b", port: 2 } } as const;
    this.#watch(this.session.open(opening, pattern(0, size))).sent = size;
  }

  /** Fails unless every stream has closed, once, with one of these codes or in order. */
  assertClosed(codes: readonly string[]): void {
    assert.deepEqual(this.#recorded.consumerErrors, []);
    assert.equal(this.session.streamCount, 0, "streams left");
    for (const { stream, closed } of this.streams) {
      assert.equal(closed.length, 1, `stream ${stream.id} emitted closed ${closed.length} times`);
      const code = closed[0]?.code;
      assert.ok(code === undefined || codes.includes(code), `stream ${stream.id} ended with ${closed[0]}`);
    }
  }

  #watch(stream: MuxStream): WatchedStream {
    const watched = new WatchedStream(stream);
    this.streams.push(watched);
    this.byId.set(stream.id, watched);
    return watched;
  }
}

/** Fails unless all bytes of the streams that `a` opened and that ended in order have arrived, both ways. */
export function assertSameBytes(a: WatchedSession, b: WatchedSession): void {
  for (const near of a.streams) {
    const far = b.byId.get(near.stream.id);
    // A reset may arrive when the stream is closed for the other end.
    if (far === undefined || near.closed[0] !== undefined || far.closed[0] !== undefined) continue;
    assert.deepEqual([far.got, near.got], [near.sent, far.sent], `stream ${near.stream.id}`);
  }
}

/** Bytes whose values depend on their position. */
function pattern(start: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (start + index) % 251);
}
