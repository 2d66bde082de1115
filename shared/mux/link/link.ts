import type { CancelTimer, Clock } from "../../clock.ts";
import { SallyportError } from "../../errors.ts";
import type { Payload, SessionMessage } from "../../protocol/messages.ts";
import type { SessionOptions } from "../options.ts";
import type { SessionTrace } from "../trace.ts";
import type { Transport } from "../transport.ts";
import { protocolViolation } from "../wire/incoming.ts";
import { Acknowledger } from "./acknowledger.ts";
import { type CountedFrame, sessionFrame } from "./counted_frame.ts";
import { FloodGuard, type LeakyBucket } from "./flood_guard.ts";
import type { FrameSource } from "./frame_source.ts";
import { CLOSE_TIMEOUT, goaway } from "./goaway.ts";
import { Keepalive } from "./keepalive.ts";
import { FrameTrace } from "./frame_trace.ts";
import { type LinkMessage, LinkSender } from "./link_sender.ts";
import { Receiver, type ReceivingSession } from "./receiver.ts";
import { Suspicion } from "./suspicion.ts";

/** The session that a link belongs to. */
export interface LinkOwner extends ReceivingSession, FrameSource {
  /** Counts streams that the peer abandoned. */
  readonly abandonedStreams: LeakyBucket;
  /** Learns what happens in the session; undefined if nothing is traced. */
  readonly trace: SessionTrace | undefined;
  /** The peer's `hello` arrived: the link can be used. */
  linkOpened(link: Link, hello: Payload<"hello">): void;
  /** The peer refused the link before its `hello`. */
  linkRefused(link: Link, error: SallyportError): void;
  /** The peer acknowledged bytes. */
  acknowledged(): void;
  /** Whether there are other links that are not suspect. */
  hasOthers(link: Link): boolean;
  /** The link became suspect, or is so no longer (SPEC.md 3.8). */
  suspectChanged(link: Link): void;
  /** The peer broke the protocol or a limit: the session has to end with `error`. */
  failed(error: SallyportError): void;
  /** The link is lost; called at most once, and not after `close`. */
  linkLost(link: Link, error: SallyportError): void;
  /** The connection is closed, and nothing is held for it; called exactly once. */
  linkClosed(link: Link): void;
}

/** What makes a {@linkcode Link}. */
export interface LinkInit {
  /** The connection, whose peer was authenticated. */
  readonly transport: Transport;
  readonly clock: Clock;
  readonly options: SessionOptions;
  /**
   * The session that the peer's `hello` names.
   * @throws SallyportError with which the link is refused (SPEC.md 3.1).
   */
  sessionOf(link: Link, hello: Payload<"hello">): LinkOwner;
  /** The peer's `hello` arrived. @default {not reported} */
  opened?(): void;
  /** The connection is closed, and why; nothing is held for it. Called exactly once. @default {not reported} */
  closed?(error: SallyportError): void;
}

/** One connection of a session: sends and receives frames, acknowledges them, and detects a dead path (SPEC.md 1). */
export class Link {
  /** The dialer's number of it in its session, from 1 (SPEC.md 3.6); 0 until it belongs to one. */
  id = 0;
  readonly sender: LinkSender;
  readonly #init: LinkInit;
  readonly #acknowledger: Acknowledger;
  readonly #keepalive: Keepalive;
  readonly #floodGuard: FloodGuard;
  readonly #receiver: Receiver;
  readonly #suspicion: Suspicion;
  readonly #cancelHelloTimeout: CancelTimer;
  #cancelCloseTimeout: CancelTimer = () => {};
  #owner: LinkOwner | undefined;
  #state: "greeting" | "open" | "stopped" = "greeting";
  /** Why it is stopped. */
  #error = new SallyportError("tunnel_down", "Cannot continue: the peer closed the connection");

  /** @param owner The session that it will belong to, where that is known before the peer's `hello`. */
  constructor(init: LinkInit, owner?: LinkOwner) {
    this.#init = init;
    const { transport, clock, options } = init;
    this.#owner = owner;
    const trace = new FrameTrace(this);
    this.#floodGuard = new FloodGuard(clock, transport);
    this.#acknowledger = new Acknowledger(clock, (bytes) => this.sender.acknowledge(bytes));
    this.sender = new LinkSender({
      transport,
      clock,
      source: () => this.#state === "open" ? this.#owner : undefined,
      beforeWrite: () => this.#acknowledger.piggyback(),
      memory: () => this.#owner?.streams,
      inFlight: () => this.#suspicion.watch(),
      overflow: () => this.#overflow(),
      trace,
    });
    this.#suspicion = new Suspicion({
      clock,
      sender: this.sender,
      hasOthers: () => this.#owner?.hasOthers(this) === true,
      isOpen: () => this.isOpen,
      changed: () => this.#owner?.suspectChanged(this),
    });
    this.#keepalive = new Keepalive({
      clock,
      interval: options.keepaliveInterval,
      timeout: options.keepaliveTimeout,
      ping: (nonce) => this.sender.message({ type: "ping", payload: { nonce } }),
      slept: () => this.#suspicion.set(true),
      dead: (silence) => this.#dead(silence),
    });
    this.#receiver = new Receiver({
      acknowledger: this.#acknowledger,
      floodGuard: this.#floodGuard,
      trace,
      message: (message) => this.#message(message),
    });
    this.#cancelHelloTimeout = clock.after(options.helloTimeout, () => {
      this.#fail(protocolViolation(`no hello within ${options.helloTimeout} ms`));
    });
  }

  /** The session that it belongs to; undefined until that is known. */
  get owner(): LinkOwner | undefined {
    return this.#owner;
  }

  /** Whether the peer's `hello` arrived and the link is not lost. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether the peer has acknowledged nothing for too long (SPEC.md 3.8). */
  get isSuspect(): boolean {
    return this.#suspicion.isSuspect;
  }

  /** Milliseconds since bytes arrived from the peer. */
  get silence(): number {
    return this.#keepalive.silence;
  }

  /** Bytes of counted frames that arrived at either end. */
  get transferred(): number {
    return this.#acknowledger.read + this.sender.path.delivered;
  }

  /** Addresses with ports of the other end. */
  get remotes(): readonly string[] {
    return this.#init.transport.remotes ?? [];
  }

  /** Starts to receive. */
  start(): void {
    this.#init.transport.start({
      data: (bytes) => this.#data(bytes),
      rejected: (error) => this.#state !== "stopped" && this.#fail(error),
      closed: (error) => this.#closed(error),
    });
  }

  /** Sends this end's `hello`. */
  greet(hello: Payload<"hello">): void {
    this.sender.message({ type: "hello", payload: hello });
    this.#keepalive.start();
  }

  /** Sends a message of the session. @param isAfterResends Whether it has to follow frames that are sent again. */
  control(frame: CountedFrame, isAfterResends = false): void {
    this.sender.control(frame, isAfterResends);
  }

  /** Measures the round trip in milliseconds; rejects with the error of `stop`. */
  measureRoundTrip(): Promise<number> {
    return this.#keepalive.measure();
  }

  /** Acknowledges now what was read. */
  flushAcknowledgement(): void {
    this.#acknowledger.flush();
  }

  /** Closes the connection once everything queued was sent; cuts it when that takes too long. */
  close(error: SallyportError): void {
    if (this.#state === "stopped") return;
    this.#stop(error);
    const { clock, transport } = this.#init;
    this.#cancelCloseTimeout();
    this.#cancelCloseTimeout = clock.after(CLOSE_TIMEOUT, () => transport.abort());
    this.sender.whenIdle(() => transport.close());
  }

  /** Refuses the link with `error` instead of a `hello`; does nothing if it is closing already. */
  refuse({ code, message }: SallyportError): void {
    if (this.#state === "stopped") return;
    this.control(sessionFrame(goaway(code, message, 0)));
    this.close(new SallyportError(code, message));
  }

  /** Loses the link on purpose: the session goes on without it. */
  cut(error: SallyportError): void {
    this.#lost(error);
    this.#init.transport.abort();
  }

  /** Stops receiving; what is queued is still sent. */
  #stop(error: SallyportError): void {
    this.#suspicion.stop();
    this.#state = "stopped";
    this.#error = error;
    this.#cancelHelloTimeout();
    this.#floodGuard.stop();
    this.#receiver.stop();
    this.#keepalive.stop(error);
    this.#acknowledger.stop();
  }

  #data(bytes: Uint8Array): void {
    if (this.#state === "stopped") return;
    this.#keepalive.heard();
    try {
      this.#receiver.push(bytes);
      this.#floodGuard.chunkProcessed();
    } catch (reason) {
      this.#fail(SallyportError.from(reason));
    }
  }

  #message(message: LinkMessage | Extract<SessionMessage, { type: "goaway" }>): void {
    switch (message.type) {
      case "hello":
        return this.#hello(message.payload);
      case "ack": {
        const { delivered } = this.sender.path;
        if (!this.sender.acknowledged(message.payload.bytes)) {
          throw protocolViolation("ack of bytes that were not sent");
        }
        if (this.sender.path.delivered > delivered) this.#suspicion.set(false);
        return this.#owner?.acknowledged();
      }
      case "ping":
        return this.sender.message({ type: "pong", payload: message.payload });
      case "pong":
        if (this.sender.path.inFlight === 0) this.#suspicion.set(false);
        return this.#keepalive.pong(message.payload.nonce);
      case "goaway":
        return this.#refused(message.payload);
    }
  }

  #hello(hello: Payload<"hello">): void {
    this.#cancelHelloTimeout();
    this.id ||= hello.link ?? 0;
    const owner = this.#owner = this.#init.sessionOf(this, hello);
    this.#receiver.session = owner;
    this.#floodGuard.abandonedStreams = owner.abandonedStreams;
    this.#state = "open";
    owner.linkOpened(this, hello);
    this.#init.opened?.();
  }

  /** The peer sent `goaway` instead of `hello`. */
  #refused({ code, message = "refused" }: Payload<"goaway">): void {
    const error = SallyportError.fromWire(code, message);
    this.close(error);
    this.#owner?.linkRefused(this, error);
  }

  /** Before the link belongs to a session, only the link ends. */
  #fail(error: SallyportError): void {
    if (this.#state === "open") return this.#owner?.failed(error);
    this.refuse(error);
    this.#owner?.linkRefused(this, error);
  }

  #overflow(): void {
    const message = "Cannot wait for the peer: it does not read the answers to its messages";
    this.#fail(new SallyportError("limit_reached", message));
  }

  #dead(silence: number): void {
    const seconds = (silence / 1000).toFixed(1);
    this.cut(new SallyportError("tunnel_down", `Cannot reach the peer: silent for ${seconds} s`));
  }

  #lost(error: SallyportError): void {
    if (this.#state === "stopped") return;
    this.#stop(error);
    this.#owner?.linkLost(this, error);
  }

  #closed(error: SallyportError | undefined): void {
    this.#cancelCloseTimeout();
    this.#lost(error ?? this.#error);
    this.sender.stop();
    this.#owner?.linkClosed(this);
    this.#init.closed?.(this.#error);
  }
}
