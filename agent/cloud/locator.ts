import type { Clock } from "../../shared/clock.ts";
import { sleep } from "../../shared/sleep.ts";
import type { FleetStatus } from "../../shared/cloud/fleet_status.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import { Backoff } from "../../shared/resilience/backoff.ts";
import type { FleetClient } from "./fleet_client.ts";
import type { Servers } from "./servers.ts";

/** What is known of the servers' whereabouts. */
export type Whereabouts =
  /** Nobody asked yet, or the answer was that they run. */
  | { readonly name: "known" }
  /** They sleep, and nobody wants them. */
  | { readonly name: "asleep" }
  /** Somebody wants them, and they do not run yet; `since` is on the clock. */
  | { readonly name: "waking"; readonly since: number; readonly fleet: FleetStatus["state"] | "unknown" };

/** What makes a {@linkcode Locator}. */
export interface LocatorInit {
  readonly client: Pick<FleetClient, "call" | "canQuery">;
  readonly servers: Servers;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info">;
  /** Milliseconds from the first call until giving up. */
  readonly wakeTimeout: number;
}

/** Milliseconds between two lines about the same state. */
const TELL_EVERY = 10_000;
/** Milliseconds for which what has to be mended is not tried again, however many ask. */
const LASTING = 5_000;

/**
 * Finds out where the servers are, and wakes them if somebody wants them. Only what somebody wants wakes: whoever
 * merely looks after a connection leaves sleeping servers alone.
 */
export class Locator {
  readonly #init: LocatorInit;
  #whereabouts: Whereabouts = { name: "known" };
  /** The start of the agent wants the server, as a request does. */
  #isFirst = true;
  #lasting: { readonly error: SallyportError; readonly until: number } | undefined;

  constructor(init: LocatorInit) {
    this.#init = init;
  }

  /** For people. */
  get whereabouts(): Whereabouts {
    return this.#whereabouts;
  }

  /**
   * Waits until there is a server worth dialling.
   *
   * @param isWanted Asked again and again: somebody may come while others only look.
   * @returns false when the servers sleep and nobody wants them.
   * @throws {SallyportError} `tunnel_down` when they cannot be woken, or are not up in time.
   */
  async locate(isWanted: () => boolean, signal: AbortSignal): Promise<boolean> {
    const { servers, clock } = this.#init;
    if (servers.hasPromising) return true;
    if (this.#lasting !== undefined && clock.now() < this.#lasting.until) throw this.#lasting.error;
    const first = this.#isFirst;
    this.#isFirst = false;
    return await this.#search({ isWanted: () => first || isWanted(), signal, begun: clock.now() });
  }

  async #search({ isWanted, signal, begun }: Search): Promise<boolean> {
    const { clock, wakeTimeout } = this.#init;
    const backoff = new Backoff({ minDelay: 500, maxDelay: 5_000 });
    const progress = new Progress(this.#init, begun);
    let last: FleetStatus | undefined;
    for (;;) {
      const wanted = isWanted();
      if (!wanted && !this.#init.client.canQuery) return this.#asleep();
      if (wanted) this.#setWhereabouts({ name: "waking", since: begun, fleet: last?.state ?? "unknown" });
      // Servers that are wanted by us and stopped by others, for example by Sleep, are woken again.
      const action = wanted && (last === undefined || last.state === "stopped") ? "wake" : "query";
      const outcome = await this.#init.client.call(this.#init.client.canQuery ? action : "wake", signal);
      signal.throwIfAborted();
      if (outcome.kind === "lasting") throw this.#lastingly(outcome.error);
      if (outcome.kind === "answered") last = outcome.status;
      if (wanted) this.#setWhereabouts({ name: "waking", since: begun, fleet: last?.state ?? "unknown" });
      if (outcome.kind === "answered" && this.#take(outcome.status)) return true;
      if (last?.state === "stopped" && !isWanted()) return this.#asleep();
      const retryIn = Math.max(backoff.next(), outcome.kind === "passing" ? outcome.retryInMs : 0);
      const error = outcome.kind === "passing" ? outcome.error : undefined;
      if (clock.now() + retryIn - begun > wakeTimeout) throw this.#late(last, error);
      progress.tell(last, error, retryIn);
      await sleep(clock, retryIn, signal);
    }
  }

  /** @returns Whether servers run. */
  #take({ state, servers }: FleetStatus): boolean {
    if (state !== "running" || servers.length === 0) return false;
    this.#init.servers.replace(servers.map(({ ip, port }) => ({ host: ip, port })));
    this.#setWhereabouts({ name: "known" });
    return true;
  }

  #asleep(): false {
    this.#setWhereabouts({ name: "asleep" });
    return false;
  }

  #lastingly(error: SallyportError): SallyportError {
    this.#lasting = { error, until: this.#init.clock.now() + LASTING };
    return error;
  }

  #late(last: FleetStatus | undefined, error: SallyportError | undefined): SallyportError {
    const why = error?.message ?? last?.problem ?? `its state is ${last?.state}`;
    const message = `Cannot wake the server within ${this.#init.wakeTimeout / 1000} s (wake_timeout): ${why}`;
    return new SallyportError("tunnel_down", message, { cause: error });
  }

  #setWhereabouts(whereabouts: Whereabouts): void {
    this.#whereabouts = whereabouts;
  }
}

interface Search {
  isWanted(): boolean;
  readonly signal: AbortSignal;
  /** On the clock. */
  readonly begun: number;
}

/** Tells a person how it goes: at every change, and now and then when there is none. */
class Progress {
  readonly #init: Pick<LocatorInit, "clock" | "log">;
  readonly #begun: number;
  #told = "";
  #toldAt = -Infinity;

  constructor(init: Pick<LocatorInit, "clock" | "log">, begun: number) {
    this.#init = init;
    this.#begun = begun;
  }

  tell(status: FleetStatus | undefined, error: SallyportError | undefined, retryIn: number): void {
    const { clock, log } = this.#init;
    const state = status?.state ?? "unknown";
    const problem = error?.message ?? status?.problem;
    const now = clock.now();
    if (this.#told === `${state} ${problem}` && now - this.#toldAt < TELL_EVERY) return;
    this.#told = `${state} ${problem}`;
    this.#toldAt = now;
    log.info("waiting for the server", {
      state,
      elapsed_s: Math.round((now - this.#begun) / 1000),
      problem,
      next: `asking again in ${(retryIn / 1000).toFixed(1)} s`,
    });
  }
}
