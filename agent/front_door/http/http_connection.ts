import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../../../shared/clock.ts";
import type { RequestError } from "../refusals/request_error.ts";

/** A request on an {@linkcode HttpConnection}, from its head to the end of its response. */
export interface OngoingRequest {
  /** Whether its whole body has arrived. */
  readonly complete: boolean;
  /** The rest of its body cannot be parsed. */
  bodyFailed(error: RequestError): void;
}

/** What an {@linkcode HttpConnection} needs. */
export interface HttpConnectionInit {
  socket: Socket;
  clock: Clock;
  /** Milliseconds from the first byte of a head to its last. */
  headTimeoutMs: number;
  /** Milliseconds that the connection may wait for its next request. */
  keepAliveTimeoutMs: number;
  /** A head took too long. */
  onHeadTimeout(): void;
  /** A request started while none was open. */
  onBusy(): void;
  /** The last open request got its response. */
  onIdle(): void;
}

/** A client's HTTP connection: counts its open requests and limits the time for heads and for keep-alive. */
export class HttpConnection {
  readonly #init: HttpConnectionInit;
  #openRequests = 0;
  /** The request with the latest head. */
  #last: OngoingRequest | undefined;
  #bytesWhenIdle = 0;
  #cancelTimer: CancelTimer;
  #whenIdle: (() => void) | undefined;

  /** Starts with the first head, whose first byte has arrived. */
  constructor(init: HttpConnectionInit) {
    this.#init = init;
    this.#cancelTimer = init.clock.after(init.headTimeoutMs, init.onHeadTimeout);
    init.socket.once("close", () => this.#cancelTimer());
  }

  /** Whether the next bytes belong to a head and not to a body. */
  get awaitsHead(): boolean {
    return this.#openRequests === 0 || this.#last?.complete === true;
  }

  /** A new parser reads another head on a connection that was handed over. */
  headStarted(): void {
    this.#whenIdle = undefined;
    this.#cancelTimer();
    this.#cancelTimer = this.#init.clock.after(this.#init.headTimeoutMs, this.#init.onHeadTimeout);
  }

  /** A request's head is complete; the returned function reports the end of its response. */
  requestStarted(request: OngoingRequest): () => void {
    this.#cancelTimer();
    this.#last = request;
    if (this.#openRequests++ === 0) this.#init.onBusy();
    let ended = false;
    return () => {
      if (!ended) this.#requestEnded();
      ended = true;
    };
  }

  /**
   * The parser failed. While the last request's body is incomplete, the error belongs to that request; otherwise it
   * belongs to a new one, and `refuse` is called when the requests before it have got their responses.
   */
  parseFailed(error: RequestError, refuse: () => void): void {
    this.#cancelTimer();
    if (this.#openRequests > 0 && this.#last?.complete === false) this.#last.bodyFailed(error);
    else this.handOver(refuse);
  }

  /** No further requests are read; calls `takeOver` when the open ones have got their responses. */
  handOver(takeOver: () => void): void {
    this.#cancelTimer();
    if (this.#openRequests === 0) takeOver();
    else this.#whenIdle = takeOver;
  }

  #requestEnded(): void {
    if (--this.#openRequests > 0) return;
    if (this.#init.socket.destroyed) return;
    const takeOver = this.#whenIdle;
    if (takeOver !== undefined) return takeOver();
    this.#init.onIdle();
    this.#bytesWhenIdle = this.#init.socket.bytesRead;
    this.#cancelTimer = this.#init.clock.after(
      this.#init.keepAliveTimeoutMs,
      () => this.#keepAliveExpired(),
    );
  }

  #keepAliveExpired(): void {
    const { clock, headTimeoutMs, onHeadTimeout, socket } = this.#init;
    // No event reports the first byte of a head; new bytes mean that the client is sending one.
    if (socket.bytesRead === this.#bytesWhenIdle) socket.destroy();
    else this.#cancelTimer = clock.after(headTimeoutMs, onHeadTimeout);
  }
}
