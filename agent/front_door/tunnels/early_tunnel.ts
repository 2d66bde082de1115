import { type ErrorCode, SallyportError } from "../../../shared/errors.ts";
import type { EndOptions, MuxStream, StreamEvents } from "../../../shared/mux/stream/stream.ts";
import type { SpliceStream } from "../../../shared/net/splice.ts";
import type { StreamMessage } from "../../../shared/protocol/messages.ts";
import type { OpenStream } from "../client/open_stream.ts";
import { shouldRetry } from "../client/stream_retry.ts";
import { connectError } from "../refusals/response_error.ts";
import { ReplayBuffer } from "./replay_buffer.ts";

/** Bytes of the client that are sent before the response; it is asked to pause at this many. */
const MAX_REPLAY = 65_536;

/** What an {@linkcode EarlyTunnel} needs. */
export interface EarlyTunnelInit {
  /** The stream of a `connect_request`, without a response so far. */
  readonly stream: MuxStream;
  /** The bytes that were sent with the `connect_request`. */
  readonly first: Uint8Array;
  /** Opens the stream again if the server did not process it. */
  readonly openStream: OpenStream;
  /** The server reached the target. */
  reached(): void;
  /** The target was not reached. Not called when the client has gone away. */
  failed(error: SallyportError): void;
}

type State = "waiting" | "reopening" | "reached" | "closed";

/**
 * The stream of a tunnel whose client was answered before the server answered. It passes the client's bytes on at once,
 * and closes with an error when the target is not reached, so that the client's connection is reset.
 *
 * Until the response, what was sent is recorded: when the server leaves without having processed the stream, the tunnel is
 * opened elsewhere with the same bytes (SPEC.md 3.4).
 */
export class EarlyTunnel implements SpliceStream {
  readonly #init: EarlyTunnelInit;
  readonly #replay = new ReplayBuffer();
  #stream: MuxStream;
  #events: StreamEvents = {};
  #state: State = "waiting";
  /** Whether the client half-closed. */
  #ended = false;

  constructor(init: EarlyTunnelInit) {
    this.#init = init;
    this.#stream = init.stream;
    this.#record(init.first);
    this.#watch(init.stream);
  }

  get over(): boolean {
    return this.#state === "closed" || this.#state === "reached" && this.#stream.over;
  }

  listen(events: StreamEvents): void {
    this.#events = events;
    if (this.#state === "reached") this.#stream.listen(events);
  }

  resume(): void {
    this.#stream.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state === "reached") return this.#stream.write(bytes);
    if (this.#state === "closed") return true;
    this.#record(bytes);
    if (this.#state === "reopening") return false;
    return this.#stream.write(bytes) && this.#hasRoom;
  }

  end(): void {
    this.#ended = true;
    if (this.#state !== "reopening") this.#stream.end();
  }

  reset(code: ErrorCode, message: string): void {
    if (this.#state === "reached") return this.#stream.reset(code, message);
    this.#close(new SallyportError(code, message), () => this.#stream.reset(code, message));
  }

  consumed(count: number): void {
    this.#stream.consumed(count);
  }

  charge(bytes: number): void {
    this.#stream.charge(bytes);
  }

  get #hasRoom(): boolean {
    return this.#replay.byteLength < MAX_REPLAY;
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #record(bytes: Uint8Array): void {
    const before = this.#replay.cost;
    this.#replay.push(bytes);
    this.#stream.charge(this.#replay.cost - before);
  }

  #watch(stream: MuxStream): void {
    stream.listen({
      message: (message) => this.#answered(stream, message),
      end: () => stream.reset("protocol_violation", "the stream ended before a response"),
      drain: () => {
        if (this.#hasRoom) this.#events.drain?.();
      },
      closed: (error) => this.#streamClosed(stream, error),
    });
  }

  #answered(stream: MuxStream, message: StreamMessage): void {
    stream.listen({});
    const error = connectError(stream, message);
    if (error !== undefined) return this.#fail(error);
    this.#setState("reached");
    stream.charge(-this.#replay.cost);
    this.#replay.clear();
    stream.listen(this.#events);
    this.#init.reached();
    this.#events.drain?.();
  }

  #streamClosed(stream: MuxStream, error: SallyportError | undefined): void {
    if (shouldRetry(stream, { isWaiting: true, isReplayable: true })) return this.#reopen();
    this.#fail(error ?? new SallyportError("internal", "the stream ended without a response"));
  }

  #reopen(): void {
    this.#setState("reopening");
    const first: EndOptions & { bytes: Uint8Array } = { bytes: this.#replay.from(0), end: this.#ended };
    Promise.try(() => this.#init.openStream(this.#stream.opening, first)).then(
      (stream) => this.#reopened(stream, first),
      (reason) => this.#fail(SallyportError.from(reason)),
    );
  }

  #reopened(stream: MuxStream, { bytes, end }: { bytes: Uint8Array; end?: boolean }): void {
    if (this.#state === "closed") return stream.reset("cancelled", "the client went away");
    this.#setState("waiting");
    this.#stream = stream;
    stream.charge(this.#replay.cost);
    const since = this.#replay.from(bytes.byteLength);
    if (since.byteLength > 0) stream.write(since);
    if (this.#ended && !end) stream.end();
    this.#watch(stream);
    stream.resume();
    if (this.#hasRoom) this.#events.drain?.();
  }

  #fail(error: SallyportError): void {
    this.#close(error, () => this.#init.failed(error));
  }

  #close(error: SallyportError, before: () => void): void {
    if (this.#state === "closed") return;
    this.#setState("closed");
    before();
    this.#events.closed?.(error);
  }
}
