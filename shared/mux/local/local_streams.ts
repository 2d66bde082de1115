/**
 * Streams within one process, for consumers that work the same with and without a tunnel.
 *
 * @example Serve streams in the same process, and open one
 * ```ts
 * import { systemClock } from "../../system_clock.ts";
 * import { MemoryBudget } from "../flow/memory_budget.ts";
 * import { LocalStreams, type LocalStreamsInit } from "./local_streams.ts";
 *
 * const init: LocalStreamsInit = {
 *   clock: systemClock,
 *   budget: new MemoryBudget(1_048_576),
 *   where: "the program",
 *   stream(far) {
 *     far.listen({ data: (bytes) => (far.write(bytes), far.consumed(bytes.byteLength)), end: () => far.end() });
 *     far.send({ type: "connect_ack", payload: {} });
 *     far.resume();
 *   },
 *   consumerError: (error) => console.error(error),
 * };
 * const streams = new LocalStreams(init);
 *
 * const near = streams.open({ type: "connect_request", payload: { host: "example.org", port: 7 } });
 * near.listen({
 *   data(bytes) {
 *     console.log(new TextDecoder().decode(bytes));
 *     near.consumed(bytes.byteLength);
 *   },
 * });
 * near.resume();
 * near.write(new TextEncoder().encode("hello"));
 * near.end();
 * await streams.drain();
 * ```
 *
 * @module
 */
import type { Clock } from "../../clock.ts";
import { type ErrorCode, SallyportError } from "../../errors.ts";
import type { OpeningMessage } from "../../protocol/messages.ts";
import { LocalDelivery } from "./local_delivery.ts";
import type { MemoryBudget } from "../flow/memory_budget.ts";
import { type SessionOptions, sessionOptions } from "../options.ts";
import type { EndOptions, MuxStream } from "../stream/stream.ts";
import type { Role } from "../stream/stream_ids.ts";
import { StreamTable } from "../stream/stream_table.ts";

/** What makes {@linkcode LocalStreams}. */
export interface LocalStreamsInit {
  clock: Clock;
  /** Memory shared with all other streams of the process. */
  budget: MemoryBudget;
  /** The program, for error messages: `the agent`. */
  where: string;
  /** A stream was opened; this is its far end, which waits for `listen` and `resume`. */
  stream(far: MuxStream): void;
  /** A callback of a stream threw, and the stream was reset. */
  consumerError(error: SallyportError): void;
  /** @default those of `DEFAULT_SESSION_OPTIONS`; windows do not grow, since nothing is in flight for long */
  options?: Partial<Pick<SessionOptions, "initialWindow" | "maxStreams" | "queueHighMark" | "queueLowMark">>;
}

/**
 * Streams between two consumers in one process: the same as those of a session, with windows, half-closes, resets and
 * checks of the order of messages, but without a connection. Nothing is pinged or acknowledged, and there is no
 * connection that could be lost.
 */
export class LocalStreams {
  readonly #near: StreamTable;
  readonly #far: StreamTable;
  readonly #deliveries: readonly LocalDelivery[];
  readonly #where: string;
  readonly #maxStreams: number;
  #draining = false;
  #onEmpty: (() => void)[] = [];

  constructor({ clock, budget, where, stream, consumerError, options: given }: LocalStreamsInit) {
    this.#where = where;
    const { initialWindow } = sessionOptions(given);
    const options = sessionOptions({ ...given, maxWindow: initialWindow });
    this.#maxStreams = options.maxStreams;
    const limits = { window: initialWindow, max_streams: options.maxStreams };
    const table = (role: Role, sender: LocalDelivery) => {
      const made = new StreamTable({
        role,
        options,
        budget,
        sender,
        consumerError,
        streamAbandoned() {},
        streamClosed: () => queueMicrotask(() => this.#checkEmpty()),
        isLocal: true,
      });
      made.setLimits(limits);
      return made;
    };
    const toFar = new LocalDelivery(clock, stream);
    const toNear = new LocalDelivery(clock, refuseStream);
    this.#deliveries = [toFar, toNear];
    this.#near = table("dialer", toFar);
    this.#far = table("listener", toNear);
    toFar.receiver = this.#far;
    toNear.receiver = this.#near;
  }

  /** Streams with an open end. */
  get size(): number {
    return Math.max(this.#near.size, this.#far.size);
  }

  /**
   * Opens a stream and returns its near end.
   * @throws SallyportError `going_away` after `drain`, `limit_reached` when there are too many, `bad_request` for
   * an invalid opening message.
   */
  open(opening: OpeningMessage, bytes?: Uint8Array, options?: EndOptions): MuxStream {
    if (this.#draining) throw this.#refusal("going_away", "is stopping");
    // The error of the table would name the limit of a peer.
    if (this.#near.capacity <= 0) {
      throw this.#refusal("limit_reached", `serves at most ${this.#maxStreams} streams directly at once`);
    }
    return this.#near.open(opening, bytes, options);
  }

  /** Stops opening streams; resolves once the last one is closed. */
  drain(): Promise<void> {
    this.#draining = true;
    return this.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Closes every stream now; none can be opened afterwards. */
  close(error: SallyportError): void {
    this.#draining = true;
    this.#near.failAll(error);
    this.#far.failAll(error);
  }

  #refusal(code: ErrorCode, reason: string): SallyportError {
    return new SallyportError(code, `Cannot open a stream: ${this.#where} ${reason}`, { at: "here" });
  }

  #checkEmpty(): void {
    if (this.size > 0) return;
    for (const delivery of this.#deliveries) delivery.stop();
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}

/** Only the near end opens streams. */
function refuseStream(stream: MuxStream): void {
  stream.reset("protocol_violation", "this end accepts no streams");
}
