import { SallyportError } from "../../shared/errors.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { StreamMessage } from "../../shared/protocol/messages.ts";
import { answerError } from "./answer_error.ts";

/** Reads the answer to a `connect_request`: why the target was not reached, or undefined if it was. */
export function connectError(stream: MuxStream, message: StreamMessage): SallyportError | undefined {
  if (message.type !== "connect_ack") {
    stream.reset("protocol_violation", `${message.type} is no answer to connect_request`);
    return new SallyportError("protocol_violation", `Cannot read the server's answer: it is ${message.type}`);
  }
  const { error } = message.payload;
  if (error === undefined) return undefined;
  stream.end();
  return answerError(stream, error);
}
