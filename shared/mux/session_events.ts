import type { SallyportError } from "../errors.ts";
import type { Payload } from "../protocol/messages.ts";
import type { MuxStream } from "./stream.ts";

/**
 * What a session tells its room. A callback that throws ends what it belongs to: `stream` its stream, any other
 * the session, both with `internal`.
 */
export interface SessionEvents {
  /** The peer's `hello` came: streams can be opened. */
  open?(hello: Payload<"hello">): void;
  /** The peer opened a stream; it waits for `listen` and `resume`. */
  stream?(stream: MuxStream): void;
  /** No stream can be opened any more, those that are open go on (SPEC.md 3.4). */
  draining?(): void;
  /** What the peer serves (SPEC.md 3). */
  status?(status: Payload<"status">): void;
  /**
   * The connection is gone and nothing is held for it; every stream was told before. Called exactly once;
   * `error` is undefined after a drain.
   */
  closed?(error: SallyportError | undefined): void;
  /**
   * A callback of a stream or of the session threw. Called once for each exception, which is the `cause`, so that
   * it gets into a log. What this one throws is the session's end and, after that, lost.
   */
  fault(error: SallyportError): void;
}
