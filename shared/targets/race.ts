import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../clock.ts";
import { type ErrorCode, SallyportError } from "../errors.ts";
import { fromOsError } from "../net/os_error.ts";

/** What makes a race for a connection. */
export interface RaceOptions {
  /** Addresses in the order in which they are tried; at least one. */
  addresses: readonly string[];
  /** The port at all of them. */
  port: number;
  /** What is being done, for messages: "connect to example.org:443". */
  doing: string;
  /** Begins a connection; `connect` or `error` of the socket says how it went. */
  connect(address: string, port: number): Socket;
  /**
   * Takes room for one more socket, and returns what gives it back. `isFurther`: another attempt is still open, so
   * that this one can wait.
   *
   * @throws SallyportError `limit_reached` when there is no room.
   * @default {no limit}
   */
  begin?: ((isFurther: boolean) => () => void) | undefined;
  /** Milliseconds after which the next address is tried beside the earlier ones. */
  attemptDelayMs: number;
  /** Milliseconds for the whole race. */
  timeoutMs: number;
  /** Where time comes from. */
  clock: Clock;
  /** Ends the race. */
  signal?: AbortSignal | undefined;
}

/** When every address failed, the first of these codes that occurred tells most about the target. */
const MOST_TELLING: readonly ErrorCode[] = [
  "target_refused",
  "target_reset",
  "target_timeout",
  "target_unreachable",
];

/** What a machine says of addresses that it cannot even try, such as IPv6 ones where there is no IPv6. */
const NO_WAY: ReadonlySet<unknown> = new Set(["EADDRNOTAVAIL", "EACCES", "EPERM", "EINVAL"]);

/** Sockets that one race has open at once. */
const MAX_OPEN = 3;

/**
 * Tries addresses one after the other, a little apart and each on top of the last (RFC 8305 section 5): the
 * first connection wins, the others are destroyed. At most three attempts are open at once: the oldest ends when a
 * fourth begins. A further attempt begins only when there is room for its socket.
 *
 * @throws SallyportError `target_refused`, `target_reset`, `target_unreachable`, `target_timeout`, `cancelled`, or
 * `limit_reached` when there is no room for any attempt.
 */
export function race(options: RaceOptions): Promise<Socket> {
  return new Race(options).result;
}

/** A connection under way. */
interface Attempt {
  connected(): void;
  failed(error: Error): void;
  /** Gives its room back. */
  done(): void;
}

class Race {
  readonly #options: RaceOptions;
  readonly #outcome = Promise.withResolvers<Socket>();
  readonly #attempts = new Map<Socket, Attempt>();
  readonly #errors: SallyportError[] = [];
  readonly #cancelDeadline: CancelTimer;
  #cancelDelay: CancelTimer = () => {};
  #next = 0;
  #over = false;

  constructor(options: RaceOptions) {
    this.#options = options;
    const { clock, timeoutMs, signal } = options;
    this.#cancelDeadline = clock.after(timeoutMs, () => this.#late());
    signal?.addEventListener("abort", this.#aborted);
    if (signal?.aborted) this.#aborted();
    else this.#attempt();
  }

  get result(): Promise<Socket> {
    return this.#outcome.promise;
  }

  #attempt(): void {
    const { addresses, port, connect, clock, attemptDelayMs, doing } = this.#options;
    if (this.#attempts.size >= MAX_OPEN) this.#endOldest();
    const done = this.#begin();
    if (done !== undefined) {
      const address = addresses[this.#next++]!;
      try {
        this.#watch(connect(address, port), done);
      } catch (reason) {
        done();
        this.#errors.push(attemptError(reason, doing));
      }
    }
    if (this.#over) return;
    if (this.#next < addresses.length) {
      this.#cancelDelay = clock.after(attemptDelayMs, () => this.#attempt());
    }
    if (this.#attempts.size === 0) this.#goOn();
  }

  /** Takes room for an attempt; undefined when there is none, which ends a race without any other attempt. */
  #begin(): (() => void) | undefined {
    const isFurther = this.#attempts.size > 0;
    try {
      return this.#options.begin?.(isFurther) ?? (() => {});
    } catch (reason) {
      if (!isFurther) this.#lose(SallyportError.from(reason));
      return undefined;
    }
  }

  #endOldest(): void {
    const { doing } = this.#options;
    const [socket, attempt] = this.#attempts.entries().next().value!;
    this.#end(socket, attempt);
    this.#errors.push(new SallyportError("target_timeout", `Cannot ${doing}: no answer in time`));
  }

  #watch(socket: Socket, done: () => void): void {
    const connected = () => this.#won(socket);
    const failed = (error: Error) => this.#failed(socket, error);
    this.#attempts.set(socket, { connected, failed, done });
    socket.once("connect", connected);
    socket.once("error", failed);
  }

  #won(socket: Socket): void {
    const attempt = this.#attempts.get(socket);
    if (this.#over || attempt === undefined) return;
    this.#attempts.delete(socket);
    attempt.done();
    socket.removeListener("error", attempt.failed);
    this.#finish();
    this.#outcome.resolve(socket);
  }

  #failed(socket: Socket, error: Error): void {
    const attempt = this.#attempts.get(socket);
    if (attempt === undefined || this.#over) return;
    this.#attempts.delete(socket);
    attempt.done();
    this.#errors.push(attemptError(error, this.#options.doing));
    this.#goOn();
  }

  /** An address failed: there is no reason to wait before the next one. */
  #goOn(): void {
    if (this.#next < this.#options.addresses.length) {
      this.#cancelDelay();
      this.#attempt();
    } else if (this.#attempts.size === 0 && !this.#over) {
      this.#lose(mostTelling(this.#errors));
    }
  }

  #late(): void {
    const { doing, timeoutMs } = this.#options;
    this.#lose(new SallyportError("target_timeout", `Cannot ${doing}: no answer within ${timeoutMs} ms`));
  }

  readonly #aborted = (): void => {
    this.#lose(new SallyportError("cancelled", `Cannot ${this.#options.doing}: nobody wants it any more`));
  };

  #lose(error: SallyportError): void {
    if (this.#over) return;
    this.#finish();
    this.#outcome.reject(error);
  }

  #finish(): void {
    this.#over = true;
    this.#cancelDelay();
    this.#cancelDeadline();
    this.#options.signal?.removeEventListener("abort", this.#aborted);
    for (const [socket, attempt] of this.#attempts) this.#end(socket, attempt);
  }

  #end(socket: Socket, attempt: Attempt): void {
    this.#attempts.delete(socket);
    socket.removeListener("connect", attempt.connected);
    socket.destroy();
    attempt.done();
  }
}

function mostTelling(errors: readonly SallyportError[]): SallyportError {
  for (const code of MOST_TELLING) {
    const found = errors.find((error) => error.code === code);
    if (found) return found;
  }
  return errors[0]!;
}

function attemptError(reason: unknown, doing: string): SallyportError {
  if (!NO_WAY.has((reason as { code?: unknown } | null)?.code)) return fromOsError(reason, doing);
  return new SallyportError("target_unreachable", `Cannot ${doing}: there is no way to it`, {
    cause: reason,
  });
}
