import { SallyportError } from "../../../shared/errors.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { StreamMessage, WireError } from "../../../shared/protocol/messages.ts";

/** The error that a stream was answered with, marked when it occurred in this process. */
export function responseError(
  stream: Pick<MuxStream, "isLocal">,
  { code, message }: WireError,
): SallyportError {
  return SallyportError.fromWire(code, message, stream.isLocal ? "here" : undefined);
}

/** Reads the response to a `connect_request`: why the target was not reached, or undefined if it was. */
export function connectError(stream: MuxStream, message: StreamMessage): SallyportError | undefined {
  if (message.type !== "connect_ack") {
    stream.reset("protocol_violation", `${message.type} is not a response to connect_request`);
    return new SallyportError(
      "protocol_violation",
      `Cannot read the server's response: its type is ${message.type}`,
    );
  }
  const { error } = message.payload;
  if (error === undefined) return undefined;
  stream.end();
  return responseError(stream, error);
}
