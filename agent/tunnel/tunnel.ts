import type { Clock } from "../../shared/clock.ts";
import { systemClock } from "../../shared/system_clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import type { EndOptions } from "../../shared/mux/outbox.ts";
import type { Session } from "../../shared/mux/session.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { OpeningMessage } from "../../shared/protocol/messages.ts";
import { Backoff } from "../../shared/resilience/backoff.ts";
import { CircuitBreaker } from "../../shared/resilience/circuit_breaker.ts";
import { Connector } from "./connector.ts";
import { establish } from "./establish.ts";
import { DEFAULT_TUNNEL_OPTIONS, type TunnelOptions } from "./options.ts";
import type { TunnelState } from "./state.ts";
import type { TunnelInit } from "./tunnel_init.ts";
import { WaitingRoom } from "./waiting_room.ts";

/** Bytes that all streams of the agent may take beyond their first window. */
const DEFAULT_BUDGET = 50_331_648;

/** The agent's pool of connections to the server: one where that serves, more when streams are many. */
export class Tunnel {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #options: TunnelOptions;
  readonly #sessions = new Set<Session>();
  readonly #waiting: WaitingRoom;
  readonly #connector: Connector;
  readonly #breaker: CircuitBreaker;
  /** Whether streams wait as long as they may for a server that has to be found first, whatever fails meanwhile. */
  readonly #isPatient: boolean;
  #state: TunnelState = { name: "closed" };
  /** When somebody was last refused because there was no connection. */
  #missedAt = -Infinity;
  #emptied: (() => void) | undefined;

  constructor(init: TunnelInit) {
    const clock = this.#clock = init.clock ?? systemClock;
    this.#log = init.log;
    this.#options = { ...DEFAULT_TUNNEL_OPTIONS, ...init.options };
    this.#waiting = new WaitingRoom(clock, this.#options.waitTimeout);
    this.#breaker = new CircuitBreaker({ clock });
    this.#isPatient = init.locate !== undefined;
    const budget = init.budget ?? new MemoryBudget(DEFAULT_BUDGET);
    const events = {
      draining: () => this.#connectIfNeeded(),
      closed: (session: Session, error: SallyportError | undefined) => this.#lost(session, error),
      fault: ({ message, cause }: SallyportError) => {
        const stack = cause instanceof Error ? cause.stack : undefined;
        this.#log.error("a callback failed", { reason: message, stack });
      },
    };
    this.#connector = new Connector({
      clock,
      backoff: new Backoff(),
      urgentRetry: this.#options.urgentRetry,
      connect: async (signal) =>
        establish(await init.dial(signal), { clock, budget, events, options: init.session ?? {}, signal }),
      urgent: () => this.#isWanted(),
      prepare: init.locate && ((signal) => init.locate!(() => this.#isWanted(), signal)),
      preparing: () => this.#pick() === undefined && this.#setState({ name: "locating" }),
      unprepared: (error) => this.#unprepared(error),
      trying: (attempt) => {
        this.#breaker.admit();
        if (this.#pick() === undefined) this.#setState({ name: "connecting", attempt });
      },
      connected: (session) => this.#connected(session),
      failed: (error, attempt, retryAt) => this.#failed(error, attempt, retryAt),
    });
  }

  /** Where the tunnel is in its life. */
  get state(): TunnelState {
    return this.#state;
  }

  /** Connections to the server. */
  get connectionCount(): number {
    return this.#sessions.size;
  }

  /** Streams that are open, over all connections. */
  get streamCount(): number {
    let count = 0;
    for (const session of this.#sessions) count += session.streamCount;
    return count;
  }

  /** Milliseconds until the next attempt to connect; undefined unless the last one failed. */
  get retryInMs(): number | undefined {
    return this.#state.name === "failed" ? Math.max(0, this.#state.retryAt - this.#clock.now()) : undefined;
  }

  /** Begins to connect, and stays connected from now on. */
  start(): void {
    if (this.#state.name === "closed") this.#connector.wake();
  }

  /**
   * Opens a stream, on the connection that has the fewest. Without a connection it waits for one.
   * @throws SallyportError `tunnel_down` after the waiting time, or at once while the circuit breaker is open;
   * `limit_reached` when every connection is full, `going_away` while the agent stops.
   */
  async openStream(
    opening: OpeningMessage,
    first: EndOptions & { bytes?: Uint8Array } = {},
  ): Promise<MuxStream> {
    for (;;) {
      this.#refuseIfLeaving();
      const session = this.#pick();
      if (session !== undefined) {
        if (session.streamCount >= this.#options.streamsPerConnection) this.#grow();
        return session.open(opening, first.bytes, first);
      }
      this.#refuseIfBroken();
      this.#grow();
      const admitted = this.#waiting.wait();
      this.#connector.wake();
      await admitted;
    }
  }

  /** Takes no more streams, waits for those that are open for at most `timeout` milliseconds, and disconnects. */
  async drain(timeout: number): Promise<void> {
    this.#setState({ name: "draining" });
    this.#connector.stop();
    this.#waiting.refuseAll(leaving());
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    for (const session of this.#sessions) session.drain();
    const cancel = this.#clock.after(timeout, () => this.#cut());
    if (this.#sessions.size > 0) await emptied;
    cancel();
    this.#setState({ name: "closed" });
  }

  #isWanted(): boolean {
    return this.#waiting.size > 0 || this.#clock.now() - this.#missedAt < this.#options.missedFor;
  }

  #setState(state: TunnelState): void {
    this.#state = state;
  }

  #cut(): void {
    for (const session of this.#sessions) session.close("going_away", "the agent stopped");
  }

  /** The session with room that has the fewest streams. */
  #pick(): Session | undefined {
    let best: Session | undefined;
    for (const session of this.#sessions) {
      if (session.room > 0 && (best === undefined || session.streamCount < best.streamCount)) best = session;
    }
    return best;
  }

  /** Dials one more connection where the pool allows it. */
  #grow(): void {
    if (this.#sessions.size < this.#options.maxConnections) this.#connector.wake();
  }

  #refuseIfLeaving(): void {
    if (this.#state.name === "draining" || this.#state.name === "closed") throw leaving();
  }

  #refuseIfBroken(): void {
    const full = [...this.#sessions].filter((session) => session.state === "open").length;
    if (full >= this.#options.maxConnections) {
      throw new SallyportError("limit_reached", `Cannot open a stream: all ${full} connections are full`);
    }
    if (this.#isPatient || this.#state.name !== "failed" || this.#breaker.state !== "open") return;
    this.#missedAt = this.#clock.now();
    this.#connector.wake();
    const seconds = ((this.retryInMs ?? 0) / 1000).toFixed(1);
    const { error, attempt } = this.#state;
    const message =
      `Cannot reach the server after ${attempt} attempts, next in ${seconds} s: ${error.message}`;
    throw new SallyportError("tunnel_down", message, { cause: error });
  }

  #connected(session: Session): void {
    this.#sessions.add(session);
    this.#breaker.succeeded();
    this.#setState({ name: "ready" });
    this.#log.info("tunnel ready", { connections: this.#sessions.size });
    this.#waiting.admitAll();
  }

  #failed(error: SallyportError, attempt: number, retryAt: number): void {
    this.#breaker.failed();
    this.#waiting.note(error);
    const retryIn = Math.round(retryAt - this.#clock.now());
    this.#log.warn("connecting failed", {
      reason: error.message,
      code: error.code,
      attempt,
      retry_in_ms: retryIn,
    });
    if (this.#pick() === undefined) this.#setState({ name: "failed", error, attempt, retryAt });
    // Trying again soon does not mend a certificate, so that nobody should be kept waiting for it.
    const isHopeless = this.#breaker.state === "open" && !this.#isPatient;
    if (error.code === "peer_rejected" || isHopeless) this.#waiting.refuseAll(error);
  }

  #unprepared(error: SallyportError | undefined): void {
    if (this.#pick() === undefined) this.#setState({ name: "asleep", error });
    if (error === undefined) return this.#log.info("the server sleeps until somebody wants it");
    this.#log.warn("the server was not found", { reason: error.message, code: error.code });
    this.#waiting.refuseAll(error);
  }

  #lost(session: Session, error: SallyportError | undefined): void {
    this.#sessions.delete(session);
    if (this.#state.name === "draining") {
      if (this.#sessions.size === 0) this.#emptied?.();
      return;
    }
    this.#log.warn("connection lost", { reason: error?.message ?? "drained", code: error?.code });
    this.#connectIfNeeded();
  }

  /** Keeps one connection that takes streams. */
  #connectIfNeeded(): void {
    if (this.#state.name === "draining" || this.#pick() !== undefined) return;
    this.#connector.wake();
  }
}

function leaving(): SallyportError {
  return new SallyportError("going_away", "Cannot open a stream: the agent is stopping");
}
