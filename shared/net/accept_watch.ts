import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../clock.ts";

/** Milliseconds without a connection after which a port that seems well is looked at. */
const EVERY = 5_000;
/** Milliseconds between looks when there is reason to doubt. */
const SOON = 1_000;
/** Milliseconds in which a port takes a connection, and into how many timers they are cut. */
const PATIENCE = 1_000;
const STEPS = 4;
/** Connections that wait until the watch's own one is known among them. */
const MAX_WAITING = 4;

/** What an {@linkcode AcceptWatch} needs. */
export interface AcceptWatchInit {
  clock: Clock;
  /** Begins a connection to the port that is watched. */
  connect(): Socket;
  /** The port takes no connections any more. */
  stalled(): void;
}

type State =
  | { name: "resting"; cancel: CancelTimer }
  | { name: "asking"; probe: Socket; connected: boolean; cancel: CancelTimer }
  | { name: "stopped" };

/**
 * Finds out whether a port still takes connections. `node:net` of Deno 2.9 goes deaf in silence when a connection
 * comes while the process has no descriptor left: there is no error, and the port stays open for ever. When
 * nobody came for a while, the watch connects to the port itself.
 */
export class AcceptWatch {
  readonly #init: AcceptWatchInit;
  #state: State;
  #arrivedAt = -Infinity;
  /** Connections of which one may be the watch's own, while its port is not known yet. */
  #waiting: { readonly socket: Socket; readonly take: () => void }[] = [];

  /** Begins to watch. */
  constructor(init: AcceptWatchInit) {
    this.#init = init;
    this.#state = { name: "resting", cancel: this.#lookIn(EVERY) };
  }

  /** Hands a connection that the port took to `take`, unless it is the watch's own. */
  arrived(socket: Socket, take: () => void): void {
    this.#arrivedAt = this.#init.clock.now();
    const state = this.#state;
    if (state.name !== "asking") return take();
    if (state.connected) return this.#tellApart(state.probe, socket, take);
    // The port of the near end is known only once it is connected, which this end may see first.
    this.#waiting.push({ socket, take });
    // Most of them are clients, so that the port is well. A crowd must not pile up here: when descriptors are short,
    // each of it would find no room for the others.
    if (this.#waiting.length > MAX_WAITING) this.#rest(EVERY);
  }

  /** There is reason to doubt: looks within a second. */
  doubt(): void {
    if (this.#state.name !== "resting") return;
    this.#state.cancel();
    this.#setState({ name: "resting", cancel: this.#lookIn(SOON, SOON) });
  }

  /** Ends it. */
  stop(): void {
    this.#leave({ name: "stopped" });
  }

  #setState(state: State): void {
    this.#state = state;
  }

  #leave(next: State): void {
    const left = this.#state;
    this.#setState(next);
    if (left.name !== "stopped") left.cancel();
    if (left.name !== "asking") return;
    left.probe.destroy();
    for (const { take } of this.#takeWaiting()) take();
  }

  /** @param quiet Milliseconds without a connection that make it ask. */
  #lookIn(ms: number, quiet = EVERY): CancelTimer {
    return this.#init.clock.after(ms, () => {
      const left = this.#arrivedAt + quiet - this.#init.clock.now();
      if (left > 0) this.#setState({ name: "resting", cancel: this.#lookIn(left, quiet) });
      else this.#ask();
    });
  }

  #rest(ms: number): void {
    this.#leave({ name: "resting", cancel: this.#lookIn(ms, ms) });
  }

  #ask(): void {
    const probe = this.#init.connect();
    this.#setState({ name: "asking", probe, connected: false, cancel: this.#patience(STEPS) });
    probe.once("connect", () => {
      const state = this.#state;
      if (state.name !== "asking" || state.probe !== probe) return;
      this.#setState({ ...state, connected: true });
      for (const { socket, take } of this.#takeWaiting()) this.#tellApart(probe, socket, take);
    });
    // Nobody listens, or there is no descriptor for the question: it is asked again.
    probe.on("error", (error: NodeJS.ErrnoException) => {
      if (!this.#isAsking(probe)) return;
      this.#rest(SOON);
      if (error.code === "ECONNREFUSED") this.#init.stalled();
    });
  }

  /** Several short waits: after one long one a process that was stopped would find the time over at once. */
  #patience(steps: number): CancelTimer {
    return this.#init.clock.after(PATIENCE / STEPS, () => {
      const state = this.#state;
      if (state.name !== "asking") return;
      if (steps > 1) return this.#setState({ ...state, cancel: this.#patience(steps - 1) });
      this.#rest(SOON);
      if (state.connected) this.#init.stalled();
    });
  }

  #takeWaiting() {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #isAsking(probe: Socket): boolean {
    return this.#state.name === "asking" && this.#state.probe === probe;
  }

  #tellApart(probe: Socket, socket: Socket, take: () => void): void {
    const own = socket.remotePort === probe.localPort && socket.remoteAddress === probe.localAddress;
    if (!own) return take();
    socket.destroy();
    if (this.#isAsking(probe)) this.#rest(EVERY);
  }
}
