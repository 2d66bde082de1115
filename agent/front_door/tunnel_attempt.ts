import type { Socket } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { OpeningMessage, StreamMessage } from "../../shared/protocol/messages.ts";
import type { FrontDoorContext } from "./context.ts";
import type { FirstBytes } from "./open_stream.ts";
import { watchWaitingClient } from "./waiting_client.ts";

/** What a client that gets the socket to itself wants, and who hears how it went. */
export interface TunnelAttempt {
  socket: Socket;
  opening: OpeningMessage;
  /** What the client sent right behind its request. */
  early: Uint8Array;
  /** Deals with a message that is not yet the answer, and says whether it was one. */
  interim?(message: StreamMessage): boolean;
  /** The answer came; from here on stream and socket are the callee's. */
  answered(stream: MuxStream, message: StreamMessage): void;
  /** There will be no answer; the socket is the callee's. Not called for a client that is gone. */
  failed(error: SallyportError): void;
}

/** Opens a stream for a client and waits for the answer; a client that goes away meanwhile cancels it. */
export function attemptTunnel(context: FrontDoorContext, attempt: TunnelAttempt): void {
  new WaitingTunnel(context, attempt).open();
}

class WaitingTunnel {
  readonly #context: FrontDoorContext;
  readonly #attempt: TunnelAttempt;
  readonly #stopWatching: () => void;
  #stream: MuxStream | undefined;
  /** Whether the client is gone, was answered or was told of a failure. */
  #settled = false;

  constructor(context: FrontDoorContext, attempt: TunnelAttempt) {
    this.#context = context;
    this.#attempt = attempt;
    this.#stopWatching = watchWaitingClient(attempt.socket, attempt.early.byteLength > 0, () => this.#gone());
  }

  open(): void {
    const { opening, early } = this.#attempt;
    const first: FirstBytes | undefined = early.byteLength > 0 ? { bytes: early } : undefined;
    Promise.try(() => this.#context.openStream(opening, first)).then(
      (stream) => this.#opened(stream),
      (reason) => this.#fail(SallyportError.from(reason)),
    ).catch((reason) => this.#context.log.warn("A tunnel's handler failed", { error: String(reason) }));
  }

  #opened(stream: MuxStream): void {
    if (this.#settled) return stream.reset("cancelled", "the client went away");
    this.#stream = stream;
    stream.listen({
      message: (message) => this.#message(stream, message),
      end: () => stream.reset("protocol_violation", "the stream ended before an answer"),
      closed: (error) => {
        // The server was leaving, and another one, or its next life, may serve this.
        if (stream.unseen && !this.#settled) this.open();
        else this.#fail(error ?? new SallyportError("internal", "the stream ended unanswered"));
      },
    });
    stream.resume();
  }

  #fail(error: SallyportError): void {
    if (this.#settle()) this.#attempt.failed(error);
  }

  #message(stream: MuxStream, message: StreamMessage): void {
    if (this.#attempt.interim?.(message) === true || !this.#settle()) return;
    // What else may come on the stream is no longer about an answer.
    stream.listen({});
    this.#attempt.answered(stream, message);
  }

  #gone(): void {
    if (!this.#settle()) return;
    this.#attempt.socket.destroy();
    this.#stream?.reset("cancelled", "the client went away");
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#stopWatching();
    return true;
  }
}
