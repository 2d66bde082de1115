import type { ErrorCode, SallyportError } from "../errors.ts";
import type { MuxStream } from "./stream.ts";

/** What a stream needs of its session. */
export interface StreamOwner {
  /** The stream may have something to send. */
  ready(stream: MuxStream): void;
  /** Sends credit to the peer. */
  sendCredit(stream: MuxStream, bytes: number): void;
  /** Tells the peer that the stream is over. */
  sendReset(stream: MuxStream, code: ErrorCode, message: string): void;
  /** A callback of the stream's room failed, and the stream with it. */
  fault(error: SallyportError): void;
  /** Both directions have ended: the session may forget the stream. */
  finished(stream: MuxStream): void;
}
