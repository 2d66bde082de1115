import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import { type ErrorCode, SallyportError } from "../errors.ts";
import type { MuxStream } from "../mux/stream/stream.ts";
import { IdleTimer } from "./idle_timer.ts";
import { PartWriter, WriteCoalescer } from "./part_writer.ts";

/** The part of a stream that a splice uses. */
export type SpliceStream = Pick<
  MuxStream,
  "listen" | "resume" | "write" | "end" | "reset" | "consumed" | "charge" | "over"
>;

/** Options of {@linkcode splice}. */
export interface SpliceOptions {
  /** A connected socket, made with `allowHalfOpen`, that is not being read. */
  socket: Socket;
  /** The stream; its events are replaced and it is resumed. */
  stream: SpliceStream;
  /** Milliseconds without a byte in either direction after which both sides are reset. @default 600000 */
  idleTimeoutMs?: number;
  /** Bytes passed in either direction; called at most once a second. @default {none} */
  onActive?: (() => void) | undefined;
  /** The source of time. */
  clock: Clock;
  /** The code for the peer when the socket fails: the server's socket is the target's, the agent's the client's. */
  resetCode: Extract<ErrorCode, "target_reset" | "cancelled">;
  /** Called once, when the socket is closed and the stream is over; `error` says why, unless both ended cleanly. */
  onClosed?(error: SallyportError | undefined): void;
}

/**
 * Relays bytes between a socket and a stream, in both directions. Each direction half-closes on its own, and the other
 * continues until it ends or is idle for too long. When one side fails, the other is reset, so that no truncated
 * transfer looks complete. A reader that stops also stops the writer at the other end.
 *
 * Everything is driven by events, without a promise or timer per chunk.
 */
export function splice(options: SpliceOptions): void {
  new Splice(options).begin();
}

class Splice {
  readonly #socket: Socket;
  readonly #stream: SpliceStream;
  readonly #options: SpliceOptions;
  readonly #idle: IdleTimer;
  readonly #cork: WriteCoalescer;
  readonly #writer: PartWriter;
  #socketEnded = false;
  #socketError: Error | undefined;
  #socketClosed = false;
  #streamClosed = false;
  #error: SallyportError | undefined;

  constructor(options: SpliceOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#stream = options.stream;
    this.#cork = new WriteCoalescer(options.socket);
    // Credit is returned when the bytes are written, so that the socket never waits for the next ones (`drain` comes
    // only when it has run dry) and its buffer is bounded by the stream's window.
    this.#writer = new PartWriter(options.socket, options.stream, () => this.#idle.touch());
    const { clock, idleTimeoutMs: timeoutMs = 600_000, onActive } = options;
    this.#idle = new IdleTimer({ clock, timeoutMs, onIdle: () => this.#idled(timeoutMs), onActive });
  }

  begin(): void {
    const [socket, stream] = [this.#socket, this.#stream];
    socket.on("error", (error) => this.#socketError ??= error);
    socket.once("close", () => this.#socketWasClosed());
    stream.listen({
      data: (bytes) => this.#toSocket(bytes),
      end: () => {
        this.#writer.flush();
        socket.end();
      },
      drain: () => void socket.resume(),
      closed: (error) => this.#streamWasClosed(error),
    });
    // Either side may have failed already.
    if (socket.destroyed) {
      this.#socketError = socket.errored ?? undefined;
      this.#socketWasClosed();
    } else if (stream.over) this.#streamWasClosed(undefined);
    else {
      socket.on("data", (bytes: Uint8Array) => this.#toStream(bytes));
      if (socket.readableEnded) this.#socketWasEnded();
      else socket.once("end", () => this.#socketWasEnded());
      stream.resume();
    }
  }

  #socketWasEnded(): void {
    this.#socketEnded = true;
    this.#stream.end();
  }

  #toStream(bytes: Uint8Array): void {
    this.#idle.touch();
    if (!this.#stream.write(bytes)) this.#socket.pause();
  }

  #toSocket(bytes: Uint8Array): void {
    this.#idle.touch();
    this.#cork.before(bytes.byteLength);
    this.#writer.write(bytes);
  }

  #idled(timeoutMs: number): void {
    const error = new SallyportError("idle_timeout", `Cannot continue: no byte for ${timeoutMs} ms`);
    this.#error ??= error;
    this.#stream.reset(error.code, error.message);
    // The stream may have ended cleanly already, while the socket does not take the last bytes.
    this.#socket.resetAndDestroy();
  }

  #socketWasClosed(): void {
    if (this.#socketClosed) return;
    this.#socketClosed = true;
    if (this.#socketError || !this.#socketEnded) this.#resetStream();
    this.#closeIfOver();
  }

  #resetStream(): void {
    const { resetCode } = this.#options;
    const who = resetCode === "cancelled" ? "client" : "target";
    const error = new SallyportError(resetCode, `Cannot continue: the ${who} closed the connection`, {
      cause: this.#socketError,
    });
    this.#error ??= error;
    this.#stream.reset(error.code, error.message);
  }

  #streamWasClosed(error: SallyportError | undefined): void {
    if (this.#streamClosed) return;
    this.#streamClosed = true;
    this.#error ??= error;
    // After a clean end the socket still sends what it holds, and then closes.
    if (error || !this.#socketEnded) this.#socket.resetAndDestroy();
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (!this.#socketClosed || !this.#streamClosed) return;
    this.#idle.stop();
    this.#options.onClosed?.(this.#error);
  }
}
