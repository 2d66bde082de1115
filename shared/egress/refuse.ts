import type { Clock } from "../clock.ts";
import type { SallyportError } from "../errors.ts";
import type { MuxStream } from "../mux/stream/stream.ts";
import type { OpeningType, WireError } from "../protocol/messages.ts";
import type { StreamAccounting } from "./accounting.ts";

/** Milliseconds that the agent has to end its side after it got the error. */
const LINGER = 10_000;
/** Longest error message on the wire, in characters (SPEC.md 4.2). */
const MESSAGE_LENGTH = 1_024;

const ANSWERS = {
  connect_request: "connect_ack",
  http_request: "http_response",
  websocket_open: "websocket_ack",
} as const satisfies Record<OpeningType, string>;

/**
 * Answers a stream with an error, which ends it (SPEC.md 4.2). What the agent still sends is discarded, and the stream
 * is reset if the agent does not end its side in time.
 */
export function refuse(
  stream: MuxStream,
  error: SallyportError,
  { accounting, clock }: { accounting: StreamAccounting; clock: Clock },
): void {
  accounting.failed(error);
  const { code, message } = error;
  const wire: WireError = { code, message: message.slice(0, MESSAGE_LENGTH) };
  const cancel = clock.after(LINGER, () => stream.reset(code, wire.message));
  stream.send({ type: ANSWERS[stream.opening.type], payload: { error: wire } }, undefined, { end: true });
  stream.listen({
    closed: () => {
      cancel();
      accounting.done(error);
    },
  });
  stream.resume();
}
