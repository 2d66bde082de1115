import type { SallyportError } from "../errors.ts";
import type { HeaderList, StreamMessage } from "../protocol/messages.ts";

/** What happens on a stream, for the room that uses it. */
export interface StreamEvents {
  /** A message other than plain bytes came: an answer, for example. */
  message?(message: StreamMessage): void;
  /** Bytes came; call `consumed` with their length once they were handed on. */
  data?(bytes: Uint8Array): void;
  /** The peer half-closed; `trailers` are those of an HTTP body. */
  end?(trailers: HeaderList | undefined): void;
  /** There is room again after `write` or `send` returned false. */
  drain?(): void;
  /**
   * The stream is over: both directions ended (`undefined`), or it was reset, or its connection is lost.
   * Called exactly once.
   */
  closed?(error: SallyportError | undefined): void;
}
