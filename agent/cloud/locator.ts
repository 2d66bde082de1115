import type { Clock } from "../../shared/clock.ts";
import { sleep } from "../../shared/net/deadline.ts";
import type { FleetStatus } from "../../shared/cloud/fleet_status.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import { Backoff } from "../../shared/resilience/backoff.ts";
import type { FleetClient } from "./fleet_client.ts";
import type { Servers } from "./servers.ts";

/** What the locator knows. */
export type LocatorState =
  /** Not asked yet, or servers run. */
  | { readonly name: "known" }
  /** The servers are stopped, and no stream needs one. */
  | { readonly name: "asleep" }
  /** A server was woken and does not run yet; `since` is on the clock. */
  | { readonly name: "waking"; readonly since: number; readonly fleet: FleetStatus["state"] | "unknown" };

/** What {@linkcode Locator} needs. */
export interface LocatorInit {
  readonly client: Pick<FleetClient, "call" | "canQuery">;
  readonly servers: Servers;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info">;
  /** Milliseconds from the first call until it stops trying. */
  readonly wakeTimeout: number;
}

/** Milliseconds between two log lines about the same state. */
const LOG_INTERVAL = 10_000;
/** Milliseconds for which a permanent error is returned without another call. */
const PERMANENT_ERROR_TTL = 5_000;

/**
 * Finds the servers' addresses, and wakes a server if a stream needs one. Reconnecting and health checks never wake a
 * stopped server.
 */
export class Locator {
  readonly #init: LocatorInit;
  #state: LocatorState = { name: "known" };
  /** The agent's start wakes the server, like a request. */
  #isFirst = true;
  #permanent: { readonly error: SallyportError; readonly until: number } | undefined;

  constructor(init: LocatorInit) {
    this.#init = init;
  }

  /** For display. */
  get state(): LocatorState {
    return this.#state;
  }

  /**
   * Waits until a server can be dialled.
   *
   * @param isWanted Called repeatedly: whether a stream needs a server.
   * @returns false if the servers are stopped and no stream needs one.
   * @throws {SallyportError} `tunnel_down` if they cannot be woken, or do not start in time.
   */
  async locate(isWanted: () => boolean, signal: AbortSignal): Promise<boolean> {
    const { servers, clock } = this.#init;
    if (servers.hasPromising) return true;
    if (this.#permanent !== undefined && clock.now() < this.#permanent.until) throw this.#permanent.error;
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
      if (wanted) this.#setState({ name: "waking", since: begun, fleet: last?.state ?? "unknown" });
      // Another agent, or Sleep, may have stopped the server meanwhile: then it is woken again.
      const action = wanted && (last === undefined || last.state === "stopped") ? "wake" : "query";
      const result = await this.#init.client.call(this.#init.client.canQuery ? action : "wake", signal);
      signal.throwIfAborted();
      if (result.kind === "permanent") throw this.#rememberError(result.error);
      if (result.kind === "answered") last = result.status;
      if (wanted) this.#setState({ name: "waking", since: begun, fleet: last?.state ?? "unknown" });
      if (result.kind === "answered" && this.#take(result.status)) return true;
      if (last?.state === "stopped" && !isWanted()) return this.#asleep();
      const retryIn = Math.max(backoff.next(), result.kind === "retryable" ? result.retryInMs : 0);
      const error = result.kind === "retryable" ? result.error : undefined;
      if (clock.now() + retryIn - begun > wakeTimeout) throw this.#timeoutError(last, error);
      progress.log(last, error, retryIn);
      await sleep(clock, retryIn, signal);
    }
  }

  /** Stores the addresses. @returns Whether servers run. */
  #take({ state, servers }: FleetStatus): boolean {
    if (state !== "running" || servers.length === 0) return false;
    this.#init.servers.replace(servers.map(({ ip, port }) => ({ host: ip, port })));
    this.#setState({ name: "known" });
    return true;
  }

  #asleep(): false {
    this.#setState({ name: "asleep" });
    return false;
  }

  #rememberError(error: SallyportError): SallyportError {
    this.#permanent = { error, until: this.#init.clock.now() + PERMANENT_ERROR_TTL };
    return error;
  }

  #timeoutError(last: FleetStatus | undefined, error: SallyportError | undefined): SallyportError {
    const reason = error?.message ?? last?.problem ?? `its state is ${last?.state}`;
    const message = `Cannot wake the server within ${
      this.#init.wakeTimeout / 1000
    } s (wake_timeout): ${reason}`;
    return new SallyportError("tunnel_down", message, { cause: error });
  }

  #setState(state: LocatorState): void {
    this.#state = state;
  }
}

interface Search {
  isWanted(): boolean;
  readonly signal: AbortSignal;
  /** On the clock. */
  readonly begun: number;
}

/** Logs the progress: at every change, and from time to time without one. */
class Progress {
  readonly #init: Pick<LocatorInit, "clock" | "log">;
  readonly #begun: number;
  #logged = "";
  #loggedAt = -Infinity;

  constructor(init: Pick<LocatorInit, "clock" | "log">, begun: number) {
    this.#init = init;
    this.#begun = begun;
  }

  log(status: FleetStatus | undefined, error: SallyportError | undefined, retryIn: number): void {
    const { clock, log } = this.#init;
    const state = status?.state ?? "unknown";
    const problem = error?.message ?? status?.problem;
    const now = clock.now();
    if (this.#logged === `${state} ${problem}` && now - this.#loggedAt < LOG_INTERVAL) return;
    this.#logged = `${state} ${problem}`;
    this.#loggedAt = now;
    log.info("waiting for the server", {
      state,
      elapsed_s: Math.round((now - this.#begun) / 1000),
      error: problem,
      retry_in_ms: Math.round(retryIn),
    });
  }
}
