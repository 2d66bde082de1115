import type { CancelTimer, Clock } from "../clock.ts";

/** Unacknowledged bytes from which an `ack` goes out at once (SPEC.md 5.2). */
const ACK_BYTES = 16_384;
/** Milliseconds that an `ack` may wait (SPEC.md 5.2). */
const ACK_DELAY = 2;

/** Counts the stream bytes that were read and says when to acknowledge them. */
export class Acknowledger {
  readonly #clock: Clock;
  readonly #send: (total: number) => void;
  #read = 0;
  #acknowledged = 0;
  #cancel: CancelTimer | undefined;

  /** @param send Sends an `ack` with the total of bytes read. */
  constructor(clock: Clock, send: (total: number) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Bytes of a stream's frame were read. */
  count(bytes: number): void {
    this.#read += bytes;
  }

  /** A chunk of the connection was worked through: acknowledges it now, or soon. */
  settle(): void {
    const open = this.#read - this.#acknowledged;
    if (open >= ACK_BYTES) this.flush();
    else if (open > 0) this.#cancel ??= this.#clock.after(ACK_DELAY, () => this.flush());
  }

  /** Acknowledges what is open now. */
  flush(): void {
    this.stop();
    if (this.#read === this.#acknowledged) return;
    this.#acknowledged = this.#read;
    this.#send(this.#read);
  }

  /** Stops the timer; nothing is sent any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
