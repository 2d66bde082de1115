import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import { type ErrorCode, SallyportError } from "../errors.ts";
import type { MuxStream } from "../mux/stream.ts";
import { IdleTimer } from "./idle_timer.ts";
import { PartWriter } from "./part_writer.ts";
import { TurnCork } from "./turn_cork.ts";

/** What a splice uses of a stream. */
export type SpliceStream = Pick<
  MuxStream,
  "listen" | "resume" | "write" | "end" | "reset" | "consumed" | "charge" | "over"
>;

/** What makes a splice. */
export interface SpliceOptions {
  /** A connected socket, made with `allowHalfOpen`, that nobody reads. */
  socket: Socket;
  /** The stream; its events are replaced and it is resumed. */
  stream: SpliceStream;
  /** Milliseconds without a byte in either direction after which both sides are cut. @default 600000 */
  idleTimeoutMs?: number;
  /** Where time comes from. */
  clock: Clock;
  /** What the peer is told when the socket breaks: the server's is the target's, the agent's the client's. */
  resetCode: Extract<ErrorCode, "target_reset" | "cancelled">;
  /** Runs once, when the socket is closed and the stream is over; `error` says why, unless both ended well. */
  onClosed?(error: SallyportError | undefined): void;
}

/**
 * Joins a socket and a stream, both ways. Each direction half-closes on its own, and the other goes on until it
 * ends or nothing happens for too long. When one side breaks, the other is reset: nobody takes a broken
 * transfer for a complete one. A reader that stops, stops the writer opposite.
 *
 * Everything is driven by events, with no promise and no timer per chunk.
 */
export function splice(options: SpliceOptions): void {
  new Splice(options).begin();
}

class Splice {
  readonly #socket: Socket;
  readonly #stream: SpliceStream;
  readonly #options: SpliceOptions;
  readonly #idle: IdleTimer;
  readonly #cork: TurnCork;
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
    this.#cork = new TurnCork(options.socket);
    // Credit goes back when the bytes have left, so that the socket never waits for the next ones (`drain`
    // would come only when it has run dry) and what it holds is bounded by the stream's window.
    this.#writer = new PartWriter(options.socket, options.stream, () => this.#idle.touch());
    const { clock, idleTimeoutMs: timeoutMs = 600_000 } = options;
    this.#idle = new IdleTimer({ clock, timeoutMs, onIdle: () => this.#idled(timeoutMs) });
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
    // Either side may have broken before anybody listened here.
    if (socket.destroyed) this.#socketWasClosed();
    else if (stream.over) this.#streamWasClosed(undefined);
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
    const error = new SallyportError("idle_timeout", `Cannot go on: no byte for ${timeoutMs} ms`);
    this.#error ??= error;
    this.#stream.reset(error.code, error.message);
    // The stream may have ended well already, with a socket that does not take the last bytes.
    this.#socket.resetAndDestroy();
  }

  #socketWasClosed(): void {
    if (this.#socketClosed) return;
    this.#socketClosed = true;
    if (this.#socketError || !this.#socketEnded) this.#broken();
    this.#closeIfOver();
  }

  #broken(): void {
    const { resetCode } = this.#options;
    const who = resetCode === "cancelled" ? "client" : "target";
    const error = new SallyportError(resetCode, `Cannot go on: the ${who} broke the connection off`, {
      cause: this.#socketError,
    });
    this.#error ??= error;
    this.#stream.reset(error.code, error.message);
  }

  #streamWasClosed(error: SallyportError | undefined): void {
    if (this.#streamClosed) return;
    this.#streamClosed = true;
    this.#error ??= error;
    // After a clean end the socket still sends what it holds, and closes by itself.
    if (error || !this.#socketEnded) this.#socket.resetAndDestroy();
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (!this.#socketClosed || !this.#streamClosed) return;
    this.#idle.stop();
    this.#options.onClosed?.(this.#error);
  }
}
