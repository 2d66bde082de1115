import type { SallyportError } from "../../errors.ts";
import type { Payload } from "../../protocol/messages.ts";
import type { FramedStream } from "../stream/framed_stream.ts";
import type { LinkCounts } from "./link_set.ts";
import type { MuxStream } from "../stream/stream.ts";
import { consumerError } from "../stream/stream_emitter.ts";
import type { SessionTrace } from "../trace.ts";

/**
 * What happens on a session. A callback that throws ends what it belongs to: `stream` its stream, any other one the
 * session, both with `internal`.
 */
export interface SessionEvents {
  /** The peer's first `hello` arrived: streams can be opened. */
  open?(hello: Payload<"hello">): void;
  /** The peer opened a stream; it waits for `listen` and `resume`. Without this handler the peer may open none. */
  stream?(stream: MuxStream): void;
  /** No new streams can be opened; open ones continue (SPEC.md 3.4). */
  draining?(): void;
  /**
   * Links were opened or lost, became suspect or recovered; `error` is why one was lost, or refused. With no open one, the
   * session waits (SPEC.md 3.7).
   */
  links?(counts: LinkCounts, error: SallyportError | undefined): void;
  /** What the peer serves (SPEC.md 3). */
  status?(status: Payload<"status">): void;
  /**
   * All connections are closed and nothing is held for them; every stream was closed before. Called exactly once;
   * `error` is undefined after a drain.
   */
  closed?(error: SallyportError | undefined): void;
  /**
   * A callback of a stream or of the session threw. Called once for each exception, which is the `cause`, to be
   * logged. If this callback throws, the session ends.
   */
  consumerError(error: SallyportError): void;
}

/** Calls a consumer's handlers of session events. What they throw is reported and goes no further. */
export class SessionEmitter {
  readonly #events: SessionEvents;
  readonly #trace: SessionTrace | undefined;
  readonly #onThrow: (error: SallyportError) => void;

  /** @param onThrow The consumer may have missed a change of the session, which has to end. */
  constructor(
    { events, trace }: { readonly events: SessionEvents; readonly trace?: SessionTrace | undefined },
    onThrow: (error: SallyportError) => void,
  ) {
    this.#events = events;
    this.#trace = trace;
    this.#onThrow = onThrow;
  }

  open(hello: Payload<"hello">): void {
    this.#trace?.life?.("session opened", { software: hello.software });
    this.#emit(() => this.#events.open?.(hello));
  }

  stream(stream: FramedStream): void {
    try {
      this.#events.stream?.(stream);
    } catch (reason) {
      stream.consumerThrew(reason);
    }
  }

  draining(): void {
    this.#emit(() => this.#events.draining?.());
  }

  links(counts: LinkCounts, error: SallyportError | undefined): void {
    this.#emit(() => this.#events.links?.(counts, error));
  }

  status(status: Payload<"status">): void {
    this.#emit(() => this.#events.status?.(status));
  }

  closed(error: SallyportError | undefined): void {
    this.#trace?.life?.("session ended", { code: error?.code, error: error?.message });
    this.#emit(() => this.#events.closed?.(error));
  }

  consumerError(error: SallyportError): void {
    try {
      this.#events.consumerError(error);
    } catch (reason) {
      this.#onThrow(consumerError("the session", reason));
    }
  }

  #emit(event: () => void): void {
    try {
      event();
    } catch (reason) {
      const error = consumerError("the session", reason);
      this.consumerError(error);
      this.#onThrow(error);
    }
  }
}
