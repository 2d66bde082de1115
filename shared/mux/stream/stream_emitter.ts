import { SallyportError } from "../../errors.ts";
import type { HeaderList, StreamMessage } from "../../protocol/messages.ts";
import type { StreamEvents } from "./stream.ts";

/** All that the peer learns about an internal error of this end; the rest is for our own log. */
export const INTERNAL_ERROR_MESSAGE = "internal error";

/**
 * Wraps what a consumer's callback threw in an `internal` error, whatever its own code: the consumer may have missed
 * anything.
 *
 * @param subject What the callback belongs to: `stream 5`.
 */
export function consumerError(subject: string, reason: unknown): SallyportError {
  const { message } = SallyportError.from(reason);
  return new SallyportError("internal", `Cannot continue ${subject}: its callback failed: ${message}`, {
    cause: reason,
  });
}

/** Calls a consumer's handlers of stream events. Whatever they throw goes to `onThrow` and no further. */
export class StreamEmitter {
  readonly #onThrow: (reason: unknown) => void;
  #events: StreamEvents = {};
  #closedEmitted = false;

  constructor(onThrow: (reason: unknown) => void) {
    this.#onThrow = onThrow;
  }

  /** Sets the handlers, replacing earlier ones. */
  listen(events: StreamEvents): void {
    this.#events = events;
  }

  message(message: StreamMessage): void {
    try {
      this.#events.message?.(message);
    } catch (reason) {
      this.#onThrow(reason);
    }
  }

  /** Returns false when there is no handler of bytes. */
  data(bytes: Uint8Array): boolean {
    const events = this.#events;
    if (events.data === undefined) return false;
    try {
      events.data(bytes);
    } catch (reason) {
      this.#onThrow(reason);
    }
    return true;
  }

  end(trailers: HeaderList | undefined): void {
    try {
      this.#events.end?.(trailers);
    } catch (reason) {
      this.#onThrow(reason);
    }
  }

  drain(): void {
    try {
      this.#events.drain?.();
    } catch (reason) {
      this.#onThrow(reason);
    }
  }

  /** Calls the first `closed` handler there is, once, and releases the consumer. */
  closed(error: SallyportError | undefined): void {
    const events = this.#events;
    this.#events = {};
    if (events.closed === undefined || this.#closedEmitted) return;
    this.#closedEmitted = true;
    try {
      events.closed(error);
    } catch (reason) {
      this.#onThrow(reason);
    }
  }
}
