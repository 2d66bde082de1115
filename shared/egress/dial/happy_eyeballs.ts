import { isIPv6, type Socket } from "node:net";
import type { CancelTimer, Clock } from "../../clock.ts";
import { type ErrorCode, SallyportError } from "../../errors.ts";
import { promiseWithDeadline } from "../../net/deadline.ts";
import { fromOsError, isUnusableAddress } from "../../net/os_error.ts";

/** What {@linkcode happyEyeballs} needs. */
export interface HappyEyeballsInit {
  /** Addresses in the order in which they are tried; at least one. */
  addresses: readonly string[];
  /** The port to connect to. */
  port: number;
  /** What is being done, for messages: "connect to example.org:443". */
  doing: string;
  /** Begins a connection; the socket's `connect` or `error` event says how it went. */
  connect(address: string, port: number): Socket;
  /**
   * Reserves one more socket, and returns what releases it. `isFurther`: another attempt is still open, so that this
   * one can wait.
   *
   * @throws SallyportError `limit_reached` when no socket is free.
   * @default {no limit}
   */
  begin?: ((isFurther: boolean) => () => void) | undefined;
  /** Milliseconds until the next address is tried in parallel. */
  attemptDelayMs: number;
  /** Milliseconds for all attempts together. */
  timeoutMs: number;
  /** The source of time. */
  clock: Clock;
  /** Ends all attempts. */
  signal?: AbortSignal | undefined;
}

/** When every address failed, the first of these codes that occurred says most about the target. */
const MOST_SIGNIFICANT: readonly ErrorCode[] = [
  "target_refused",
  "target_reset",
  "target_timeout",
  "target_unreachable",
];

/** Attempts that are open at once. */
const MAX_OPEN = 3;

/**
 * Connects to the first of several addresses that answers (Happy Eyeballs, RFC 8305 section 5): attempts start one
 * after the other, a short delay apart, and the sockets of the slower ones are destroyed. At most three are open at
 * once; when a fourth starts, the oldest ends. A further attempt starts only when a socket is free for it.
 *
 * @throws SallyportError `target_refused`, `target_reset`, `target_unreachable`, `target_timeout`, `cancelled`, or
 * `limit_reached` when no socket is free for any attempt.
 */
export function happyEyeballs(init: HappyEyeballsInit): Promise<Socket> {
  return promiseWithDeadline<Socket>(init, (resolve, reject) => {
    const attempts = new Attempts(init, resolve, reject);
    attempts.start();
    return () => attempts.stop();
  });
}

/** A connection attempt. */
interface Attempt {
  connected(): void;
  /** Releases its socket's reservation. */
  release(): void;
}

class Attempts {
  readonly #init: HappyEyeballsInit;
  readonly #connected: (socket: Socket) => void;
  readonly #failed: (error: SallyportError) => void;
  readonly #open = new Map<Socket, Attempt>();
  readonly #errors: SallyportError[] = [];
  #cancelDelay: CancelTimer = () => {};
  #next = 0;
  #stopped = false;

  constructor(
    init: HappyEyeballsInit,
    connected: (socket: Socket) => void,
    failed: (error: SallyportError) => void,
  ) {
    this.#init = init;
    this.#connected = connected;
    this.#failed = failed;
  }

  /** Starts the next attempt, and the timer of the one after it. */
  start(): void {
    const { addresses, port, connect, clock, attemptDelayMs, doing } = this.#init;
    if (this.#open.size >= MAX_OPEN) this.#endOldest();
    const release = this.#reserve();
    if (release !== undefined) {
      const address = addresses[this.#next++]!;
      try {
        this.#watch(connect(address, port), release);
      } catch (reason) {
        release();
        this.#errors.push(attemptError(reason, doing));
      }
    }
    if (this.#stopped) return;
    if (this.#next < addresses.length) {
      this.#cancelDelay = clock.after(attemptDelayMs, () => this.start());
    }
    if (this.#open.size === 0) this.#continue();
  }

  /** Ends all attempts. */
  stop(): void {
    this.#stopped = true;
    this.#cancelDelay();
    for (const [socket, attempt] of this.#open) this.#end(socket, attempt);
  }

  /** Reserves a socket; undefined when none is free, which fails the dial if no other attempt is open. */
  #reserve(): (() => void) | undefined {
    const isFurther = this.#open.size > 0;
    try {
      return this.#init.begin?.(isFurther) ?? (() => {});
    } catch (reason) {
      if (!isFurther) this.#fail(SallyportError.from(reason));
      return undefined;
    }
  }

  #endOldest(): void {
    const { doing } = this.#init;
    const [socket, attempt] = this.#open.entries().next().value!;
    this.#end(socket, attempt);
    this.#errors.push(new SallyportError("target_timeout", `Cannot ${doing}: no answer in time`));
  }

  #watch(socket: Socket, release: () => void): void {
    const connected = () => this.#succeed(socket);
    this.#open.set(socket, { connected, release });
    socket.once("connect", connected);
    // Never removed: until the caller listens, an error without a listener would end the process.
    socket.on("error", (error) => this.#attemptFailed(socket, error));
  }

  #succeed(socket: Socket): void {
    const attempt = this.#open.get(socket);
    if (this.#stopped || attempt === undefined) return;
    this.#open.delete(socket);
    attempt.release();
    this.stop();
    this.#connected(socket);
  }

  #attemptFailed(socket: Socket, error: Error): void {
    const attempt = this.#open.get(socket);
    if (attempt === undefined || this.#stopped) return;
    this.#open.delete(socket);
    attempt.release();
    this.#errors.push(attemptError(error, this.#init.doing));
    this.#continue();
  }

  /** An address failed: there is no reason to wait for the next one. */
  #continue(): void {
    if (this.#next < this.#init.addresses.length) {
      this.#cancelDelay();
      this.start();
    } else if (this.#open.size === 0 && !this.#stopped) {
      this.#fail(mostSignificant(this.#errors));
    }
  }

  #fail(error: SallyportError): void {
    this.stop();
    this.#failed(error);
  }

  #end(socket: Socket, attempt: Attempt): void {
    this.#open.delete(socket);
    socket.removeListener("connect", attempt.connected);
    socket.destroy();
    attempt.release();
  }
}

function mostSignificant(errors: readonly SallyportError[]): SallyportError {
  for (const code of MOST_SIGNIFICANT) {
    const found = errors.find((error) => error.code === code);
    if (found) return found;
  }
  return errors[0]!;
}

function attemptError(reason: unknown, doing: string): SallyportError {
  if (!isUnusableAddress(reason)) return fromOsError(reason, doing);
  return new SallyportError("target_unreachable", `Cannot ${doing}: no route to it`, { cause: reason });
}

/**
 * Orders addresses for dialling (RFC 8305 section 4): the families take turns, beginning with that of the first
 * address; within a family the order stays.
 */
export function interleave(addresses: readonly string[]): string[] {
  const first = addresses.length > 0 && isIPv6(addresses[0]!);
  const same = addresses.filter((address) => isIPv6(address) === first);
  const other = addresses.filter((address) => isIPv6(address) !== first);
  const ordered: string[] = [];
  for (let i = 0; i < Math.max(same.length, other.length); i++) {
    if (i < same.length) ordered.push(same[i]!);
    if (i < other.length) ordered.push(other[i]!);
  }
  return ordered;
}
