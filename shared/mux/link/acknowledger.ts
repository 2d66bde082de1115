import type { CancelTimer, Clock } from "../../clock.ts";

/** Unacknowledged bytes from which an `ack` is sent at once (SPEC.md 5.2). */
const ACK_BYTES = 65_536;
/** Milliseconds that an `ack` may wait (SPEC.md 5.2). */
const ACK_DELAY = 2;
/** Bytes, and milliseconds, from which an `ack` is worth sending with a write that is due anyway. */
const PIGGYBACK_BYTES = 4_096;
const PIGGYBACK_DELAY = 1;

/**
 * Counts the bytes of counted frames that were read (SPEC.md 5.2), and acknowledges them: at once when they are many, else
 * with the next write, or on their own when there is none in time.
 */
export class Acknowledger {
  readonly #clock: Clock;
  readonly #send: (total: number) => void;
  #read = 0;
  #acknowledged = 0;
  /** When the oldest unacknowledged byte was read. */
  #pendingSince = 0;
  #cancel: CancelTimer | undefined;
  #stopped = false;

  /** @param send Sends an `ack` with the total of bytes read. */
  constructor(clock: Clock, send: (total: number) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Bytes of counted frames that were read. */
  get read(): number {
    return this.#read;
  }

  /** Bytes that were read and not yet acknowledged. */
  get pending(): number {
    return this.#read - this.#acknowledged;
  }

  /** Bytes of a counted frame were read. */
  count(bytes: number): void {
    if (this.pending === 0) this.#pendingSince = this.#clock.now();
    this.#read += bytes;
  }

  /** A chunk of the connection was processed: acknowledges it now, or soon. */
  chunkProcessed(): void {
    if (this.#stopped) return;
    if (this.pending >= ACK_BYTES) this.flush();
    else if (this.pending > 0) this.#wait(ACK_DELAY);
  }

  /** A write is due: acknowledges with it, unless that can wait for a later one. */
  piggyback(): void {
    if (this.pending === 0) return;
    if (this.pending >= PIGGYBACK_BYTES || this.#clock.now() - this.#pendingSince >= PIGGYBACK_DELAY) {
      this.flush();
    }
  }

  /** Acknowledges what is pending now. */
  flush(): void {
    if (this.pending > 0 && !this.#stopped) this.#send(this.take());
  }

  /** Returns the total to acknowledge, for an `ack` that the caller sends. */
  take(): number {
    this.#acknowledged = this.#read;
    return this.#read;
  }

  /** Stops the timer; nothing more is sent, even if more is counted. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** The timer keeps running while acknowledgements are sent with other writes: a new one for each would cost more. */
  #wait(ms: number): void {
    this.#cancel ??= this.#clock.after(ms, () => {
      this.#cancel = undefined;
      if (this.pending === 0) return;
      const left = this.#pendingSince + ACK_DELAY - this.#clock.now();
      if (left > 0) this.#wait(left);
      else this.flush();
    });
  }
}
