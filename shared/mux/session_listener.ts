import type { SallyportError } from "../errors.ts";
import type { Payload } from "../protocol/messages.ts";
import { roomFault } from "./room_fault.ts";
import type { SessionEvents } from "./session_events.ts";
import type { MuxStream } from "./stream.ts";

/** Tells a room of its session's events. What the room throws is reported and goes no further. */
export class SessionListener implements Required<SessionEvents> {
  readonly #events: SessionEvents;
  readonly #failed: (error: SallyportError) => void;

  /** @param failed The room lost track of its session. */
  constructor(events: SessionEvents, failed: (error: SallyportError) => void) {
    this.#events = events;
    this.#failed = failed;
  }

  open(hello: Payload<"hello">): void {
    this.#tell(() => this.#events.open?.(hello));
  }

  stream(stream: MuxStream): void {
    try {
      this.#events.stream?.(stream);
    } catch (reason) {
      stream.failed(reason);
    }
  }

  draining(): void {
    this.#tell(() => this.#events.draining?.());
  }

  status(status: Payload<"status">): void {
    this.#tell(() => this.#events.status?.(status));
  }

  closed(error: SallyportError | undefined): void {
    this.#tell(() => this.#events.closed?.(error));
  }

  fault(error: SallyportError): void {
    try {
      this.#events.fault(error);
    } catch (reason) {
      this.#failed(roomFault("the session", reason));
    }
  }

  #tell(event: () => void): void {
    try {
      event();
    } catch (reason) {
      const error = roomFault("the session", reason);
      this.fault(error);
      this.#failed(error);
    }
  }
}
