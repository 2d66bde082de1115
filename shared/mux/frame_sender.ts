import type { SessionMessage } from "../protocol/messages.ts";
import type { MuxStream } from "./stream.ts";

/** What takes the frames of streams, and the messages about them, to their peer. */
export interface FrameSender {
  /** A stream may have something to send. */
  ready(stream: MuxStream): void;
  /** A stream has nothing to send any more. */
  remove(stream: MuxStream): void;
  /** Sends a message of the session. */
  control(message: SessionMessage): void;
}
