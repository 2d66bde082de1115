/**
 * What a stream is for its consumer: the code that opened it, or that serves it.
 *
 * @example Echo the bytes of tunnels, with backpressure
 * ```ts
 * import type { EndOptions, MuxStream, StreamEvents } from "./stream.ts";
 *
 * const complete: EndOptions = { end: true };
 *
 * export function serve(stream: MuxStream): void {
 *   if (stream.opening.type !== "connect_request") return stream.reset("bad_request", "tunnels only");
 *   // Received bytes for which the peer gets credit once the stream has room for more.
 *   let unconsumed = 0;
 *   const events: StreamEvents = {
 *     data(bytes) {
 *       if (stream.write(bytes)) stream.consumed(bytes.byteLength);
 *       else unconsumed += bytes.byteLength;
 *     },
 *     drain() {
 *       stream.consumed(unconsumed);
 *       unconsumed = 0;
 *     },
 *     end: () => stream.end(),
 *     closed: (error) => console.log(error?.message ?? "closed in order"),
 *   };
 *   stream.listen(events);
 *   stream.send({ type: "connect_ack", payload: {} });
 *   stream.resume();
 * }
 *
 * export function refuse(stream: MuxStream): void {
 *   const error = { code: "target_denied", message: "no targets are allowed" };
 *   stream.send({ type: "connect_ack", payload: { error } }, undefined, complete);
 *   stream.resume();
 * }
 * ```
 *
 * @module
 */
import type { ErrorCode, SallyportError } from "../../errors.ts";
import type { HeaderList, OpeningMessage, StreamMessage } from "../../protocol/messages.ts";

/** How a message ends its direction (SPEC.md 4.2). */
export interface EndOptions {
  /** Half-closes the stream after this message's bytes. @default false */
  end?: boolean;
  /** HTTP trailers, only with `end`. */
  trailers?: HeaderList | undefined;
}

/** What happens on a stream. A callback that throws resets the stream with `internal`. */
export interface StreamEvents {
  /** A message other than plain bytes arrived, such as an answer. */
  message?(message: StreamMessage): void;
  /** Bytes arrived; call `consumed` with their length once they were processed. */
  data?(bytes: Uint8Array): void;
  /** The peer half-closed; `trailers` are those of an HTTP body. */
  end?(trailers: HeaderList | undefined): void;
  /** There is room again after `write` or `send` returned false. */
  drain?(): void;
  /**
   * The stream is closed: both directions ended (`undefined`), it was reset, or its session is lost. Called
   * exactly once.
   */
  closed?(error: SallyportError | undefined): void;
}

/**
 * One stream of a session, as its consumer sees it: two byte sequences and the messages about them (SPEC.md 4).
 *
 * It closes when both directions have ended and the consumer has consumed all bytes, or by a reset.
 */
export interface MuxStream {
  /** Odd if the dialer opened it (SPEC.md 4.1). */
  readonly id: number;
  /** The message that opened it. */
  readonly opening: OpeningMessage;
  /** Whether the peer is in this process, so that errors of the peer are errors of this process. */
  readonly isLocal: boolean;
  /** Body bytes received so far. */
  readonly bytesIn: number;
  /** Body bytes sent so far, without those in the queue. */
  readonly bytesOut: number;
  /** Bytes of the process's memory that the stream holds, those of `charge` included (SPEC.md 5.5). */
  readonly held: number;
  /** Whether the stream is closed; `closed` says why. */
  readonly over: boolean;
  /** Whether this end has sent anything on it. */
  readonly answered: boolean;
  /** The error with which the peer reset the stream, in the peer's own words. */
  readonly peerReset: SallyportError | undefined;
  /** Whether the peer left without processing it, so that it may be opened elsewhere (SPEC.md 3.4). */
  readonly unprocessed: boolean;

  /** Sets the event handlers, replacing earlier ones. On a closed stream `closed` is called at once. */
  listen(events: StreamEvents): void;

  /**
   * Starts delivery of messages, bytes and the peer's end; until the first call they wait, within the window. Once
   * both ends are on the wire, delivery starts without it, to whatever handlers there are, so that a stream is not
   * kept for a consumer that abandoned it.
   */
  resume(): void;

  /** Sends a message with bytes of this stream; returns false when the writer should wait for `drain`. */
  send(message: StreamMessage, bytes?: Uint8Array, options?: EndOptions): boolean;

  /**
   * Sends plain bytes; they must not change afterwards. Returns false when the writer should wait for `drain`. While
   * memory is exhausted it may reset streams first, this one included.
   */
  write(bytes: Uint8Array): boolean;

  /** Half-closes: nothing more will be sent. Calls after the first do nothing. */
  end(trailers?: HeaderList): void;

  /** Ends both directions at once and sends the reason to the peer. On a closed stream it does nothing. */
  reset(code: ErrorCode, message: string): void;

  /**
   * Reports that `count` of the bytes from `data` were processed, so that the peer may send as many more. A count above
   * what was delivered is handled as if a callback had thrown.
   */
  consumed(count: number): void;

  /**
   * Counts `bytes` that the consumer holds for this stream in addition to unconsumed bytes, such as the objects of
   * pending writes; a negative number gives back (SPEC.md 5.5).
   */
  charge(bytes: number): void;
}
