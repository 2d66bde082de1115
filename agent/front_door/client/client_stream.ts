import type { Socket } from "node:net";
import { SallyportError } from "../../../shared/errors.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import { splice, type SpliceStream } from "../../../shared/net/splice.ts";
import type { OpeningMessage, StreamMessage } from "../../../shared/protocol/messages.ts";
import type { FirstBytes } from "./open_stream.ts";
import type { FrontDoorContext } from "./context.ts";
import { shouldRetry } from "./stream_retry.ts";

/** A stream for a client that gets its socket to itself: CONNECT, a WebSocket, SOCKS5. */
export interface ClientStreamInit {
  socket: Socket;
  opening: OpeningMessage;
  /** What the client sent directly after its request. */
  early: Uint8Array;
  /** Handles an interim message; returns false when the message is the final response. */
  interim?(message: StreamMessage): boolean;
  /** Answers the client before the response. @default {the response is awaited} */
  eager?: EagerAnswer | undefined;
  /** Receives the response; from then on the callee owns stream and socket. */
  answered(stream: MuxStream, message: StreamMessage): void;
  /** There will be no response; the callee owns the socket. Not called when the client has gone away. */
  failed(error: SallyportError): void;
}

/** How a client is answered as soon as its stream is open. */
export interface EagerAnswer {
  /** Whether this stream's client is. */
  appliesTo(stream: MuxStream): boolean;
  /** Answers it; from then on the callee owns stream and socket. */
  answer(stream: MuxStream): void;
}

/** Opens a stream for a client and waits for the response; if the client goes away, the stream is reset. */
export function openClientStream(context: FrontDoorContext, init: ClientStreamInit): void {
  new PendingStream(context, init).open();
}

class PendingStream {
  readonly #context: FrontDoorContext;
  readonly #init: ClientStreamInit;
  readonly #stopWatching: () => void;
  #stream: MuxStream | undefined;
  /** Whether the client got a response or an error, or has gone away. */
  #settled = false;

  constructor(context: FrontDoorContext, init: ClientStreamInit) {
    this.#context = context;
    this.#init = init;
    this.#stopWatching = watchClient(init.socket, init.early.byteLength > 0, () => this.#clientGone());
  }

  open(): void {
    const { opening, early } = this.#init;
    const first: FirstBytes | undefined = early.byteLength > 0 ? { bytes: early } : undefined;
    Promise.try(() => this.#context.openStream(opening, first)).then(
      (stream) => this.#opened(stream),
      (reason) => this.#fail(SallyportError.from(reason)),
    ).catch((reason) => this.#context.log.warn("stream handler failed", { error: String(reason) }));
  }

  #opened(stream: MuxStream): void {
    if (this.#settled) return stream.reset("cancelled", "the client went away");
    const { eager } = this.#init;
    if (!stream.over && eager?.appliesTo(stream)) {
      this.#settle();
      return eager.answer(stream);
    }
    this.#stream = stream;
    stream.listen({
      message: (message) => this.#message(stream, message),
      end: () => stream.reset("protocol_violation", "the stream ended before a response"),
      closed: (error) => {
        if (shouldRetry(stream, { isWaiting: !this.#settled, isReplayable: true })) this.open();
        else this.#fail(error ?? new SallyportError("internal", "the stream ended without a response"));
      },
    });
    stream.resume();
  }

  #fail(error: SallyportError): void {
    if (this.#settle()) this.#init.failed(error);
  }

  #message(stream: MuxStream, message: StreamMessage): void {
    if (this.#init.interim?.(message) === true || !this.#settle()) return;
    // The callee listens from here on.
    stream.listen({});
    this.#init.answered(stream, message);
  }

  #clientGone(): void {
    if (!this.#settle()) return;
    this.#init.socket.destroy();
    this.#stream?.reset("cancelled", "the client went away");
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#stopWatching();
    return true;
  }
}

/**
 * Watches a client that waits for its stream, without consuming a byte: what it sends stays in the socket's buffer,
 * up to the high-water mark.
 *
 * A connection that broke, or that ended before the client sent anything, means that the client has gone away. One
 * that was half-closed after early data belongs to a client that has sent everything and still waits for a response.
 *
 * @param hasEarlyData Whether early data was read from the socket before.
 * @param onGone Called at most once.
 * @returns Stops watching; the caller then owns the socket.
 */
function watchClient(socket: Socket, hasEarlyData: boolean, onGone: () => void): () => void {
  // With a "readable" listener the socket reads without emitting data; reading from an empty buffer lets "end" fire.
  const onReadable = () => {
    if (socket.readableLength === 0) socket.read(0);
  };
  const stop = () => {
    socket.removeListener("readable", onReadable);
    socket.removeListener("end", gone);
    socket.removeListener("close", gone);
  };
  const gone = () => {
    stop();
    onGone();
  };
  socket.on("error", () => {});
  if (!hasEarlyData) socket.on("end", gone);
  socket.on("close", gone);
  socket.on("readable", onReadable);
  return stop;
}

/**
 * Sends `response` to a client and splices its socket and its stream until both directions have ended or one of
 * them broke.
 *
 * @param target For the log.
 */
export function spliceClient(
  context: FrontDoorContext,
  socket: Socket,
  stream: SpliceStream,
  response: Uint8Array,
  target: string,
): void {
  // The target's first bytes, if they came with the response, leave in the same write.
  socket.cork();
  queueMicrotask(() => socket.uncork());
  socket.write(response);
  splice({
    socket,
    stream,
    clock: context.clock,
    idleTimeoutMs: context.idleTimeoutMs,
    resetCode: "cancelled",
    onClosed(error) {
      if (error === undefined) return;
      context.log.debug("stream failed", { target, code: error.code, error: error.message });
    },
  });
  // Watching the client paused the socket.
  socket.resume();
}
