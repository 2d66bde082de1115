import type { Socket } from "node:net";
import { isConnectionRefused } from "./os_error.ts";
import type { CancelTimer, Clock } from "../clock.ts";

/** Milliseconds without a connection after which a port is probed. */
const EVERY = 5_000;
/** Milliseconds between probes when there is reason to doubt. */
const SOON = 1_000;
/** Milliseconds in which a port has to accept the probe, and into how many timers they are split. */
const TIMEOUT = 1_000;
const STEPS = 4;
/** Connections that wait until the probe is identified among them. */
const MAX_WAITING = 4;

/** What an {@linkcode AcceptProbe} needs. */
export interface AcceptProbeInit {
  clock: Clock;
  /** Begins a connection to the port. */
  connect(): Socket;
  /** The port no longer accepts connections. */
  stalled(): void;
}

type State =
  | { name: "resting"; cancel: CancelTimer }
  | { name: "probing"; probe: Socket; connected: boolean; cancel: CancelTimer }
  | { name: "stopped" };

/**
 * Finds out whether a port still accepts connections, by connecting to it when no client has done so for a while. If a
 * connection comes while the process has no file descriptor left, `node:net` of Deno 2.9 stops accepting: there is no
 * error, and the port stays open.
 */
export class AcceptProbe {
  readonly #init: AcceptProbeInit;
  #state: State;
  #arrivedAt = -Infinity;
  /** Connections of which one may be the probe, while its local port is not known yet. */
  #waiting: { readonly socket: Socket; readonly take: () => void }[] = [];

  /** Starts probing. */
  constructor(init: AcceptProbeInit) {
    this.#init = init;
    this.#state = { name: "resting", cancel: this.#probeIn(EVERY) };
  }

  /** Passes an accepted connection to `take`, unless it is the probe. */
  arrived(socket: Socket, take: () => void): void {
    this.#arrivedAt = this.#init.clock.now();
    const state = this.#state;
    if (state.name !== "probing") return take();
    if (state.connected) return this.#distinguish(state.probe, socket, take);
    // The local port of the probe is known only once it is connected, which the accepting end may notice first.
    this.#waiting.push({ socket, take });
    // Most of them are clients, so that the port works. A burst must not pile up here: when descriptors are short,
    // each connection would find none left because of the others.
    if (this.#waiting.length > MAX_WAITING) this.#rest(EVERY);
  }

  /** There is reason to doubt: probes within a second. */
  doubt(): void {
    if (this.#state.name !== "resting") return;
    this.#state.cancel();
    this.#setState({ name: "resting", cancel: this.#probeIn(SOON, SOON) });
  }

  /** Stops probing. */
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
    if (left.name !== "probing") return;
    left.probe.destroy();
    for (const { take } of this.#takeWaiting()) take();
  }

  /** @param quiet Milliseconds without a connection after which it probes. */
  #probeIn(ms: number, quiet = EVERY): CancelTimer {
    return this.#init.clock.after(ms, () => {
      const left = this.#arrivedAt + quiet - this.#init.clock.now();
      if (left > 0) this.#setState({ name: "resting", cancel: this.#probeIn(left, quiet) });
      else this.#probe();
    });
  }

  #rest(ms: number): void {
    this.#leave({ name: "resting", cancel: this.#probeIn(ms, ms) });
  }

  #probe(): void {
    const probe = this.#init.connect();
    this.#setState({ name: "probing", probe, connected: false, cancel: this.#timeout(STEPS) });
    probe.once("connect", () => {
      const state = this.#state;
      if (state.name !== "probing" || state.probe !== probe) return;
      this.#setState({ ...state, connected: true });
      for (const { socket, take } of this.#takeWaiting()) this.#distinguish(probe, socket, take);
    });
    // Nothing listens, or there is no descriptor for the probe: it is repeated.
    probe.on("error", (error) => {
      if (!this.#isProbing(probe)) return;
      this.#rest(SOON);
      if (isConnectionRefused(error)) this.#init.stalled();
    });
  }

  /** Several short timers: with a single one, a process that was suspended would miss the deadline at once. */
  #timeout(steps: number): CancelTimer {
    return this.#init.clock.after(TIMEOUT / STEPS, () => {
      const state = this.#state;
      if (state.name !== "probing") return;
      if (steps > 1) return this.#setState({ ...state, cancel: this.#timeout(steps - 1) });
      this.#rest(SOON);
      if (state.connected) this.#init.stalled();
    });
  }

  #takeWaiting() {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #isProbing(probe: Socket): boolean {
    return this.#state.name === "probing" && this.#state.probe === probe;
  }

  #distinguish(probe: Socket, socket: Socket, take: () => void): void {
    const own = socket.remotePort === probe.localPort && socket.remoteAddress === probe.localAddress;
    if (!own) return take();
    socket.destroy();
    if (this.#isProbing(probe)) this.#rest(EVERY);
  }
}
