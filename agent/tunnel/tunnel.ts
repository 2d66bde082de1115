import type { Clock } from "../../shared/clock.ts";
import { systemClock } from "../../shared/system_clock.ts";
import { SallyportError } from "../../shared/errors.ts";
import { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import type { LinkCounts } from "../../shared/mux/session/link_set.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import { SessionCounter } from "../../shared/mux/session/session_figures.ts";
import type { EndOptions, MuxStream } from "../../shared/mux/stream/stream.ts";
import type { OpeningMessage } from "../../shared/protocol/messages.ts";
import { Backoff } from "../../shared/resilience/backoff.ts";
import { CircuitBreaker } from "../../shared/resilience/circuit_breaker.ts";
import { countOf } from "../../shared/text/count_of.ts";
import { Connector } from "./connector.ts";
import { openSession } from "./open_session.ts";
import { ServerSession } from "./server_session.ts";
import { TunnelLog } from "./tunnel_log.ts";
import {
  DEFAULT_TUNNEL_OPTIONS,
  type ServerConnection,
  type TunnelFigures,
  type TunnelInit,
  type TunnelOptions,
  type TunnelState,
} from "./tunnel_options.ts";
import { WaitingStreams } from "./waiting_streams.ts";

/** Bytes that all streams may use beyond their first window. */
const DEFAULT_BUDGET = 50_331_648;

/** A session that was opened, and how to dial its server again. */
interface Connected {
  readonly session: Session;
  readonly redial: ServerConnection["redial"];
}

/** The agent's sessions with servers: one, and more when a server drains or there are very many streams. */
export class Tunnel {
  readonly #clock: Clock;
  readonly #init: TunnelInit;
  readonly #log: TunnelLog;
  readonly #options: TunnelOptions;
  readonly #servers = new Map<Session, ServerSession>();
  readonly #waiting: WaitingStreams;
  readonly #connector: Connector<Connected>;
  readonly #breaker: CircuitBreaker;
  /** Whether streams wait until their timeout despite errors, because the server may have to be woken. */
  readonly #waitsForWake: boolean;
  #state: TunnelState = { name: "closed" };
  readonly #counter = new SessionCounter();
  /** When a stream was last refused because there was no connection. */
  #missedAt = -Infinity;
  #emptied: (() => void) | undefined;

  constructor(init: TunnelInit) {
    const clock = this.#clock = init.clock ?? systemClock;
    this.#init = init;
    this.#log = new TunnelLog(init.log, clock, init.doctor);
    this.#options = { ...DEFAULT_TUNNEL_OPTIONS, ...init.options };
    this.#waiting = new WaitingStreams(clock, this.#options.waitTimeout);
    this.#breaker = new CircuitBreaker({ clock });
    this.#waitsForWake = init.locate !== undefined;
    const budget = init.budget ?? new MemoryBudget(DEFAULT_BUDGET);
    const events = {
      draining: () => this.#connectIfNeeded(),
      links: (session: Session, counts: LinkCounts, error: SallyportError | undefined) =>
        this.#linksChanged(session, counts, error),
      closed: (session: Session, error: SallyportError | undefined) => this.#lost(session, error),
      consumerError: (error: SallyportError) => this.#log.callbackFailed(error),
    };
    this.#connector = new Connector({
      clock,
      backoff: new Backoff(),
      urgentRetry: this.#options.urgentRetry,
      connect: async (signal) => {
        const { transport, redial } = await init.dial(signal);
        const { session: options = {}, trace } = init;
        const opening = openSession(transport, { clock, budget, events, options, signal, trace });
        return { session: await opening, redial };
      },
      discard: ({ session }) => session.close("going_away", "no longer needed"),
      urgent: () => this.#isWanted(),
      prepare: init.locate && ((signal) => init.locate!(() => this.#isWanted(), signal)),
      preparing: () => this.#pick() === undefined && this.#setState({ name: "locating" }),
      unprepared: (error) => this.#unprepared(error),
      trying: (attempt) => {
        if (this.#pick() === undefined) this.#setState({ name: "connecting", attempt });
      },
      connected: (connected) => this.#connected(connected),
      failed: (error, attempt, retryAt) => this.#failed(error, attempt, retryAt),
    });
  }

  /** The state of the tunnel. */
  get state(): TunnelState {
    return this.#state;
  }

  /** The sessions now, and what they and earlier ones did. */
  get figures(): TunnelFigures {
    const sessions = [...this.#servers.keys()].map(({ figures }) => figures);
    return { sessions, totals: this.#counter.totals(sessions) };
  }

  /** Milliseconds until the next attempt to connect; undefined unless the last one failed. */
  get retryInMs(): number | undefined {
    return this.#state.name === "failed" ? Math.max(0, this.#state.retryAt - this.#clock.now()) : undefined;
  }

  /** Connects, and stays connected from now on. */
  start(): void {
    if (this.#state.name === "closed") this.#connector.wake();
  }

  /**
   * Opens a stream in the session with the fewest. While no session has a connection, it waits for one.
   * @throws SallyportError `tunnel_down` after the wait timeout, or at once while the circuit breaker is open;
   * `limit_reached` when every session is full, `going_away` while the agent stops.
   */
  async openStream(
    opening: OpeningMessage,
    first: EndOptions & { bytes?: Uint8Array } = {},
  ): Promise<MuxStream> {
    for (;;) {
      this.#refuseIfLeaving();
      const server = this.#pick();
      if (server !== undefined) {
        if (server.session.streamCount >= this.#options.streamsPerSession) this.#grow();
        return server.open(opening, first);
      }
      this.#refuseIfBroken();
      const resumed = this.#waiting.wait();
      if (![...this.#servers.values()].some(({ isResuming }) => isResuming)) this.#connector.wake();
      await resumed;
    }
  }

  /** Accepts no new streams, waits at most `timeout` milliseconds for open ones, and disconnects. */
  async drain(timeout: number): Promise<void> {
    this.#setState({ name: "draining" });
    this.#connector.stop();
    this.#waiting.refuseAll(leaving());
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    for (const session of this.#servers.keys()) session.drain();
    const cancel = this.#clock.after(timeout, () => this.#cut());
    if (this.#servers.size > 0) await emptied;
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
    for (const session of this.#servers.keys()) session.close("going_away", "the agent stopped");
  }

  /** The session with room that has the fewest streams. */
  #pick(): ServerSession | undefined {
    let best: ServerSession | undefined;
    for (const server of this.#servers.values()) {
      const { capacity, streamCount } = server.session;
      if (capacity > 0 && (best === undefined || streamCount < best.session.streamCount)) best = server;
    }
    return best;
  }

  /** Opens one more session unless there are as many as may be. */
  #grow(): void {
    if (this.#servers.size < this.#options.maxSessions) this.#connector.wake();
  }

  #refuseIfLeaving(): void {
    if (this.#state.name === "draining" || this.#state.name === "closed") throw leaving();
  }

  #refuseIfBroken(): void {
    const isConnected = (session: Session) => session.state === "open" && session.linkCounts.open > 0;
    const full = [...this.#servers.keys()].filter(isConnected).length;
    if (full >= this.#options.maxSessions) {
      throw new SallyportError("limit_reached", `Cannot open a stream: all ${full} sessions are full`);
    }
    if (this.#waitsForWake || this.#state.name !== "failed" || !this.#breaker.isOpen) return;
    this.#missedAt = this.#clock.now();
    this.#connector.wake();
    const seconds = ((this.retryInMs ?? 0) / 1000).toFixed(1);
    const { error, attempt } = this.#state;
    const message = `Cannot reach the server after ${
      countOf(attempt, "attempt")
    }, next in ${seconds} s: ${error.message}`;
    throw new SallyportError("tunnel_down", message, { cause: error });
  }

  #connected({ session, redial }: Connected): void {
    const { urgentRetry, maxLinks } = this.#options;
    // Another server may be needed once the session's own one cannot be reached.
    const failed = (error: SallyportError) => this.#reconnectFailed(error);
    for (const other of this.#servers.values()) other.isReplaced ||= other.isWaiting;
    this.#servers.set(
      session,
      new ServerSession({
        session,
        clock: this.#clock,
        log: this.#init.log,
        urgentRetry,
        maxLinks,
        redial,
        failed,
      }),
    );
    this.#breaker.succeeded();
    this.#setState({ name: "ready" });
    this.#log.ready(this.#servers.size);
    this.#waiting.resumeAll();
  }

  #failed(error: SallyportError, attempt: number, retryAt: number): void {
    this.#breaker.failed();
    this.#waiting.note(error);
    this.#log.dialFailed(error);
    if (this.#pick() === undefined) this.#setState({ name: "failed", error, attempt, retryAt });
    // Another attempt does not repair a certificate, so streams do not wait for it.
    const isHopeless = this.#breaker.isOpen && !this.#waitsForWake;
    if (error.code === "peer_rejected" || isHopeless) this.#waiting.refuseAll(error);
  }

  #unprepared(error: SallyportError | undefined): void {
    if (this.#pick() === undefined) this.#setState({ name: "asleep", error });
    this.#log.notFound(error);
    if (error !== undefined) this.#waiting.refuseAll(error);
  }

  #linksChanged(session: Session, counts: LinkCounts, error: SallyportError | undefined): void {
    const server = this.#servers.get(session);
    if (server === undefined) return;
    // Later ones are attempts that failed.
    if (counts.open === 0 && !server.isWaiting) this.#log.resuming(session.streamCount, error);
    server.linksChanged(counts, error);
    if (this.#state.name === "draining") return;
    if (server.isReplaced && counts.open > 0 && this.#hasOthers(session)) session.drain();
    if (this.#pick() === undefined) {
      // A session that waits says nothing about the attempts to open another one.
      if (this.#state.name === "ready") this.#setState({ name: "resuming" });
      return;
    }
    this.#connector.rest();
    this.#setState({ name: "ready" });
    this.#waiting.resumeAll();
  }

  /** Whether there are other sessions that accept streams. */
  #hasOthers(session: Session): boolean {
    return [...this.#servers.keys()].some((other) => other !== session && other.capacity > 0);
  }

  /** A session cannot be resumed yet: streams that wait may need another server. */
  #reconnectFailed(error: SallyportError): void {
    this.#waiting.note(error);
    if (this.#isWanted()) this.#connectIfNeeded();
  }

  #lost(session: Session, error: SallyportError | undefined): void {
    const server = this.#servers.get(session);
    server?.stop();
    this.#servers.delete(session);
    this.#counter.ended(session.figures);
    if (this.#state.name === "draining") {
      if (this.#servers.size === 0) this.#emptied?.();
      return;
    }
    if (error === undefined && server?.isReplaced) this.#log.replaced();
    else this.#log.lost(error);
    this.#connectIfNeeded();
  }

  /** Keeps one session that accepts streams. */
  #connectIfNeeded(): void {
    if (this.#state.name === "draining" || this.#pick() !== undefined) return;
    this.#connector.wake();
  }
}

function leaving(): SallyportError {
  return new SallyportError("going_away", "Cannot open a stream: the agent is stopping");
}
