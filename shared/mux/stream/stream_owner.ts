import type { ErrorCode, SallyportError } from "../../errors.ts";
import type { OpeningMessage } from "../../protocol/messages.ts";
import type { HeldShare } from "../flow/held_memory.ts";
import type { MemoryBudget } from "../flow/memory_budget.ts";
import type { SessionOptions } from "../options.ts";

/** What a stream needs from its session. `Stream` is the stream's own class, which this file cannot know. */
export interface StreamOwner<Stream> {
  /** The stream may have something to send. */
  ready(stream: Stream): void;
  /** Sends the peer the total of body bytes that it may send. */
  sendCredit(stream: Stream, total: number): void;
  /** Notifies the peer that the stream is closed. */
  sendReset(stream: Stream, code: ErrorCode, message: string): void;
  /** The peer broke the rules of the stream, which was reset; may throw, which ends the session. */
  misused(stream: Stream): void;
  /** A callback of the stream's consumer threw, and the stream is reset. */
  consumerError(error: SallyportError): void;
  /** All bytes were transferred, but the consumer has not consumed all: for the peer the stream is closed. */
  lingers(stream: Stream): void;
  /** The stream is closed: the session may drop it. */
  closed(stream: Stream): void;
}

/** What makes a stream. */
export interface StreamInit<Stream> {
  id: number;
  opening: OpeningMessage;
  /** Whether this end opens it. */
  own: boolean;
  owner: StreamOwner<Stream>;
  options: SessionOptions;
  budget: MemoryBudget;
  /** The session's share of the memory that streams hold. */
  share: HeldShare;
  /** Credit from the peer's `hello`. */
  sendCredit: number;
  /** Whether the peer is in this process. @default false */
  isLocal?: boolean;
}
