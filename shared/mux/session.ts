import type { CancelTimer, Clock } from "../clock.ts";
import { type ErrorCode, SallyportError } from "../errors.ts";
import {
  type OpeningMessage,
  type Payload,
  PROTOCOL_VERSION,
  type SessionMessage,
} from "../protocol/messages.ts";
import { Acknowledger } from "./acknowledger.ts";
import { type ConnectionMessage, Dispatch } from "./dispatch.ts";
import { Forbearance } from "./forbearance.ts";
import { Keepalive } from "./keepalive.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { type SessionOptions, sessionOptions } from "./options.ts";
import type { EndOptions } from "./outbox.ts";
import { FAULT_MESSAGE } from "./room_fault.ts";
import { Pings } from "./pings.ts";
import { Sender } from "./sender.ts";
import type { SessionInit } from "./session_init.ts";
import { SessionListener } from "./session_listener.ts";
import type { MuxStream } from "./stream.ts";
import { StreamTable } from "./stream_table.ts";
import type { Transport } from "./transport.ts";
import { violation } from "./violation.ts";

/** Milliseconds for a last `goaway` to leave before the connection is cut. */
const CLOSE_TIMEOUT = 1_000;
/** Bytes that all streams of a process may take beyond their first window. */
const DEFAULT_BUDGET = 67_108_864;

/** Where a session is in its life. */
export type SessionState = "greeting" | "open" | "draining" | "closed";

/** Many streams over one connection (SPEC.md). */
export class Session {
  readonly #transport: Transport;
  readonly #listener: SessionListener;
  readonly #clock: Clock;
  readonly #sender: Sender;
  readonly #streams: StreamTable;
  readonly #acknowledger: Acknowledger;
  readonly #keepalive: Keepalive;
  readonly #dispatch: Dispatch;
  readonly #forbearance: Forbearance;
  readonly #pings: Pings;
  #state: SessionState = "greeting";
  /** Why the session is closed. */
  #error: SallyportError | undefined;
  /** Whether this end drains: it refuses streams, and it is the one that closes. */
  #leaving = false;
  #nonce = 0;
  #cancelDeadline: CancelTimer;

  constructor(init: SessionInit) {
    const clock = this.#clock = init.clock;
    const options = sessionOptions({
      ...init.options,
      // A stream that nobody hears of would never end.
      ...(init.events.stream === undefined ? { maxStreams: 0 } : {}),
    });
    this.#transport = init.transport;
    this.#pings = new Pings(clock);
    this.#listener = new SessionListener(init.events, (error) => this.#break(error, FAULT_MESSAGE));
    this.#forbearance = new Forbearance(clock, init.transport, options.maxStreams);
    this.#sender = new Sender({
      transport: init.transport,
      clock,
      beforeWrite: () => this.#acknowledger.ride(),
      overflow: () =>
        this.close("limit_reached", "Cannot wait for the peer: it reads too little of what it asks for"),
    });
    this.#streams = new StreamTable({
      role: init.role,
      options,
      budget: init.budget ?? new MemoryBudget(DEFAULT_BUDGET),
      client: init.client,
      sender: this.#sender,
      fault: (error) => this.#listener.fault(error),
      wasted: () => this.#forbearance.wastedStreams.spend(),
      // Later, because the stream's last frame may be in a write that does not count as in flight yet.
      finished: () => queueMicrotask(() => this.#closeIfDrained()),
    });
    this.#acknowledger = new Acknowledger(clock, (bytes) => this.#sender.acknowledge(bytes));
    this.#keepalive = new Keepalive({
      clock,
      interval: options.keepaliveInterval,
      timeout: options.keepaliveTimeout,
      ping: () => this.#send({ type: "ping", payload: { nonce: this.#nonce++ } }),
      dead: (silence) => this.#dead(silence),
    });
    this.#dispatch = new Dispatch({
      streams: this.#streams,
      acknowledger: this.#acknowledger,
      patience: this.#forbearance.idleMessages,
      message: (message) => this.#received(message),
      opened: (stream) => this.#listener.stream(stream),
    });
    this.#cancelDeadline = clock.after(options.helloTimeout, () => {
      this.close("protocol_violation", `no hello within ${options.helloTimeout} ms`);
    });
    init.transport.start({
      data: (bytes) => this.#data(bytes),
      closed: (error) => this.#disconnected(error),
    });
    this.#send({ type: "hello", payload: helloOf(options) });
  }

  /** Streams that are open now. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** Where the session is in its life. */
  get state(): SessionState {
    return this.#state;
  }

  /** Streams that could be opened now. */
  get room(): number {
    return this.#state === "open" ? this.#streams.room : 0;
  }

  /**
   * Opens a stream.
   * @throws SallyportError `tunnel_down` before the peer's `hello` and after the end, `going_away` while
   * draining, `limit_reached` at the peer's limit, `bad_request` for an opening message that cannot travel.
   */
  open(opening: OpeningMessage, bytes?: Uint8Array, options?: EndOptions): MuxStream {
    if (this.#state === "open") return this.#streams.open(opening, bytes, options);
    throw new SallyportError(
      this.#state === "draining" ? "going_away" : "tunnel_down",
      `Cannot open a stream: the connection is ${this.#state}`,
    );
  }

  /** Sends `status` to the peer (SPEC.md 3); after the end it does nothing. */
  sendStatus(status: Payload<"status">): void {
    if (this.#state !== "closed") this.#send({ type: "status", payload: status });
  }

  /**
   * Measures the round trip by a `ping` (SPEC.md 3.2), in milliseconds.
   * @throws SallyportError `tunnel_down` before the peer's `hello`; after it, whatever ends the session.
   */
  ping(): Promise<number> {
    if (this.#state !== "open" && this.#state !== "draining") {
      const message = `Cannot measure the round trip: the connection is ${this.#state}`;
      return Promise.reject(this.#error ?? new SallyportError("tunnel_down", message));
    }
    const nonce = this.#nonce++;
    const answered = this.#pings.sent(nonce);
    this.#send({ type: "ping", payload: { nonce } });
    return answered;
  }

  /** Drains: opens and accepts no further stream, and closes when the last has ended (SPEC.md 3.4). */
  drain(): void {
    if (this.#leaving || this.#state === "closed") return;
    this.#leaving = true;
    this.#streams.refuse("going_away");
    this.#sendGoaway("going_away", "draining");
    this.#beginDraining();
  }

  /** Ends the connection now: the peer is told `code`, and open streams fail with it. */
  close(code: ErrorCode, message: string): void {
    this.#break(new SallyportError(code, message), message);
  }

  #setState(state: SessionState): void {
    this.#state = state;
  }

  #send(message: SessionMessage): void {
    this.#sender.control(message);
  }

  #sendGoaway(code: ErrorCode, message: string): void {
    const last_stream = this.#streams.lastAccepted;
    this.#send({ type: "goaway", payload: { code, message: message.slice(0, 1_024), last_stream } });
  }

  #data(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#keepalive.heard();
    try {
      this.#dispatch.push(bytes);
      this.#forbearance.settle();
    } catch (reason) {
      const error = SallyportError.from(reason);
      this.#break(error, error.message);
    }
  }

  #received(message: ConnectionMessage): void {
    switch (message.type) {
      case "hello":
        return this.#greeted(message.payload);
      case "ack":
        if (!this.#sender.acknowledged(message.payload.bytes)) {
          throw violation("ack of bytes that were not sent");
        }
        return this.#closeIfDrained();
      case "ping":
        return this.#send({ type: "pong", payload: message.payload });
      case "goaway":
        return this.#peerLeaves(message.payload);
      case "status":
        return this.#listener.status(message.payload);
      case "pong":
        return this.#pings.answered(message.payload.nonce);
    }
  }

  #greeted(hello: Payload<"hello">): void {
    this.#cancelDeadline();
    this.#streams.greet(hello);
    this.#setState("open");
    this.#listener.open(hello);
  }

  /** Tells the peer why, in words of its own, and ends the session with `error`. */
  #break(error: SallyportError, message: string): void {
    if (this.#state === "closed") return;
    this.#sendGoaway(error.code, message);
    this.#hangUp();
    this.#finish(error);
  }

  #peerLeaves({ code, message, last_stream }: Payload<"goaway">): void {
    const error = SallyportError.fromWire(code, message ?? "the peer closed the connection");
    if (error.code !== "going_away") {
      this.#hangUp();
      this.#finish(error, true);
      return;
    }
    // In this order: who opens a stream again does it elsewhere.
    this.#beginDraining();
    this.#streams.failOwnAbove(last_stream, error);
  }

  #beginDraining(): void {
    if (this.#state !== "draining") {
      this.#cancelDeadline();
      this.#setState("draining");
      this.#listener.draining();
    }
    this.#closeIfDrained();
  }

  /**
   * Closes once the last stream has ended and the peer has read all of it. The peer of an end that drains
   * waits for it: an opening message that was queued before the `goaway` may still come.
   */
  #closeIfDrained(): void {
    if (this.#state !== "draining" || this.#streams.size > 0) return;
    this.#acknowledger.flush();
    if (!this.#leaving || this.#sender.path.inFlight > 0) return;
    this.#hangUp();
    this.#finish(undefined);
  }

  /** Lets what is queued leave, then ends the connection; cuts it when that takes too long. */
  #hangUp(): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#clock.after(CLOSE_TIMEOUT, () => this.#transport.abort());
    this.#sender.whenIdle(() => this.#transport.close());
  }

  #dead(silence: number): void {
    const seconds = (silence / 1000).toFixed(1);
    this.#finish(new SallyportError("tunnel_down", `Cannot reach the peer: silent for ${seconds} s`));
    this.#transport.abort();
  }

  /** The transport is gone; whatever was still under way is lost. */
  #disconnected(error: SallyportError | undefined): void {
    this.#cancelDeadline();
    this.#sender.stop();
    const drained = this.#state === "draining" && this.#streams.size === 0;
    const lost = new SallyportError("tunnel_down", "Cannot go on: the peer closed the connection");
    this.#finish(error ?? (drained ? undefined : lost));
    this.#listener.closed(this.#error);
  }

  /**
   * Ends every stream and all work of the session's own; the transport may still be closing.
   * @param byPeer Whether the peer chose `error`.
   */
  #finish(error: SallyportError | undefined, byPeer = false): void {
    if (this.#state === "closed") return;
    this.#setState("closed");
    this.#error = error;
    this.#forbearance.stop();
    this.#dispatch.stop();
    this.#keepalive.stop();
    this.#acknowledger.stop();
    const over = error ?? new SallyportError("going_away", "Cannot go on: the connection was drained");
    this.#pings.fail(over);
    this.#streams.failAll(over, byPeer);
  }
}

function helloOf({ software, initialWindow, maxStreams, id }: SessionOptions): Payload<"hello"> {
  const payload = { version: PROTOCOL_VERSION, software, window: initialWindow, max_streams: maxStreams };
  return id === "" ? payload : { ...payload, id };
}
