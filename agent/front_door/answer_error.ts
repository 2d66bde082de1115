import { SallyportError } from "../../shared/errors.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { WireError } from "../../shared/protocol/messages.ts";

/** The error that a stream was answered with, and whether it happened in this process. */
export function answerError(
  stream: Pick<MuxStream, "isLocal">,
  { code, message }: WireError,
): SallyportError {
  return SallyportError.fromWire(code, message, stream.isLocal ? "here" : undefined);
}
