import type { CancelTimer, Clock } from "../clock.ts";

/** Unacknowledged bytes from which an `ack` goes out at once (SPEC.md 5.2). */
const ACK_BYTES = 65_536;
/** Milliseconds that an `ack` may wait (SPEC.md 5.2). */
const ACK_DELAY = 2;
/** Bytes, and milliseconds, from which an `ack` is worth its bytes in a write that leaves anyway. */
const RIDE_BYTES = 4_096;
const RIDE_DELAY = 1;

/**
 * Counts the stream bytes that were read and says when to acknowledge them: at once when they are many, else
 * with the next write, or alone when there is none in time.
 */
export class Acknowledger {
  readonly #clock: Clock;
  readonly #send: (total: number) => void;
  #read = 0;
  #acknowledged = 0;
  /** When the oldest unacknowledged byte was read. */
  #openSince = 0;
  #cancel: CancelTimer | undefined;
  #stopped = false;

  /** @param send Sends an `ack` with the total of bytes read. */
  constructor(clock: Clock, send: (total: number) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Bytes that were read and not acknowledged. */
  get open(): number {
    return this.#read - this.#acknowledged;
  }

  /** Bytes of a stream's frame were read. */
  count(bytes: number): void {
    if (this.open === 0) this.#openSince = this.#clock.now();
    this.#read += bytes;
  }

  /** A chunk of the connection was worked through: acknowledges it now, or soon. */
  settle(): void {
    if (this.#stopped) return;
    if (this.open >= ACK_BYTES) this.flush();
    else if (this.open > 0) this.#wait(ACK_DELAY);
  }

  /** A write leaves: acknowledges with it, unless that can wait for a later one. */
  ride(): void {
    if (this.open === 0) return;
    if (this.open >= RIDE_BYTES || this.#clock.now() - this.#openSince >= RIDE_DELAY) this.flush();
  }

  /** Acknowledges what is open now. */
  flush(): void {
    if (this.open > 0 && !this.#stopped) this.#send(this.take());
  }

  /** The total to acknowledge, for an `ack` that the caller sends. */
  take(): number {
    this.#acknowledged = this.#read;
    return this.#read;
  }

  /** Stops the timer; nothing is sent any more, even if there is more to count. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** One timer runs on while acknowledgements leave with other writes: making one for each would cost more. */
  #wait(ms: number): void {
    this.#cancel ??= this.#clock.after(ms, () => {
      this.#cancel = undefined;
      if (this.open === 0) return;
      const left = this.#openSince + ACK_DELAY - this.#clock.now();
      if (left > 0) this.#wait(left);
      else this.flush();
    });
  }
}
