import type { SallyportError } from "../errors.ts";
import type { HeaderList, StreamMessage } from "../protocol/messages.ts";
import type { StreamEvents } from "./stream_events.ts";

/** Tells a room of its stream's events. Whatever the room throws goes to `failed` and no further. */
export class Listener {
  readonly #failed: (reason: unknown) => void;
  #events: StreamEvents = {};
  #closedTold = false;

  constructor(failed: (reason: unknown) => void) {
    this.#failed = failed;
  }

  /** Sets who hears of events, in place of an earlier one. */
  listen(events: StreamEvents): void {
    this.#events = events;
  }

  message(message: StreamMessage): void {
    try {
      this.#events.message?.(message);
    } catch (reason) {
      this.#failed(reason);
    }
  }

  /** Returns false when nobody wants bytes. */
  data(bytes: Uint8Array): boolean {
    const events = this.#events;
    if (events.data === undefined) return false;
    try {
      events.data(bytes);
    } catch (reason) {
      this.#failed(reason);
    }
    return true;
  }

  end(trailers: HeaderList | undefined): void {
    try {
      this.#events.end?.(trailers);
    } catch (reason) {
      this.#failed(reason);
    }
  }

  drain(): void {
    try {
      this.#events.drain?.();
    } catch (reason) {
      this.#failed(reason);
    }
  }

  /** Tells `closed`, to the first who can hear it, and lets go of the room. */
  closed(error: SallyportError | undefined): void {
    const events = this.#events;
    this.#events = {};
    if (events.closed === undefined || this.#closedTold) return;
    this.#closedTold = true;
    try {
      events.closed(error);
    } catch (reason) {
      this.#failed(reason);
    }
  }
}
