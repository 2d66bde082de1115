import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { RequestError } from "./request_error.ts";

/** A request on an {@linkcode HttpConnection}, from its head to the end of its answer. */
export interface OngoingRequest {
  /** Whether its body is here to the end. */
  readonly complete: boolean;
  /** The rest of its body cannot be read. */
  broke(error: RequestError): void;
}

/** What makes an {@linkcode HttpConnection}. */
export interface HttpConnectionInit {
  socket: Socket;
  clock: Clock;
  /** Milliseconds from a head's first byte to its last. */
  headTimeoutMs: number;
  /** Milliseconds that a connection may wait for its next request. */
  keepAliveTimeoutMs: number;
  /** A head took too long. */
  onHeadTimeout(): void;
  /** The first of the requests under way began. */
  onBusy(): void;
  /** The last of them is answered. */
  onIdle(): void;
}

/** A client's HTTP connection: how many of its requests are under way, and how long it may take over a head. */
export class HttpConnection {
  readonly #init: HttpConnectionInit;
  #active = 0;
  /** The request whose head came last. */
  #last: OngoingRequest | undefined;
  #bytesWhenIdle = 0;
  #cancelTimer: CancelTimer;
  #whenIdle: (() => void) | undefined;

  /** Begins with the first head, whose first byte is here. */
  constructor(init: HttpConnectionInit) {
    this.#init = init;
    this.#cancelTimer = init.clock.after(init.headTimeoutMs, init.onHeadTimeout);
    init.socket.once("close", () => this.#cancelTimer());
  }

  /** A request's head is complete; the returned function says, once, that its answer is. */
  began(request: OngoingRequest): () => void {
    this.#cancelTimer();
    this.#last = request;
    if (this.#active++ === 0) this.#init.onBusy();
    let ended = false;
    return () => {
      if (!ended) this.#ended();
      ended = true;
    };
  }

  /**
   * What came cannot be read. That is the last request's affair while its body is not complete; otherwise it was
   * to be another one, and `refuse` runs once those before it are answered.
   */
  broke(error: RequestError, refuse: () => void): void {
    this.#cancelTimer();
    if (this.#active > 0 && this.#last?.complete === false) this.#last.broke(error);
    else this.handOver(refuse);
  }

  /** The connection is no longer one of requests: runs `take` once those before it are answered. */
  handOver(take: () => void): void {
    this.#cancelTimer();
    if (this.#active === 0) take();
    else this.#whenIdle = take;
  }

  #ended(): void {
    if (--this.#active > 0) return;
    if (this.#init.socket.destroyed) return;
    const take = this.#whenIdle;
    if (take !== undefined) return take();
    this.#init.onIdle();
    this.#bytesWhenIdle = this.#init.socket.bytesRead;
    this.#cancelTimer = this.#init.clock.after(this.#init.keepAliveTimeoutMs, () => this.#waitedEnough());
  }

  #waitedEnough(): void {
    const { clock, headTimeoutMs, onHeadTimeout, socket } = this.#init;
    // No event tells of a head's first byte, but if there are some, the client is not idle.
    if (socket.bytesRead === this.#bytesWhenIdle) socket.destroy();
    else this.#cancelTimer = clock.after(headTimeoutMs, onHeadTimeout);
  }
}
