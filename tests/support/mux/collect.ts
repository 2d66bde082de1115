import type { SallyportError } from "../../../shared/errors.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import type { HeaderList, StreamMessage } from "../../../shared/protocol/messages.ts";

/** Everything that arrived in one direction of a stream. */
export interface Collected {
  bytes: Uint8Array;
  messages: StreamMessage[];
  trailers: HeaderList | undefined;
}

/** Reads a stream to the peer's end; rejects with the stream's error when it is reset. */
export function collect(stream: MuxStream): Promise<Collected> {
  const { promise, resolve, reject } = Promise.withResolvers<Collected>();
  const parts: Uint8Array[] = [];
  const messages: StreamMessage[] = [];
  stream.listen({
    message: (message) => void messages.push(message),
    data: (bytes) => {
      parts.push(bytes);
      stream.consumed(bytes.byteLength);
    },
    end: (trailers) => resolve({ bytes: concat(parts), messages, trailers }),
    closed: (error: SallyportError | undefined) => error === undefined || reject(error),
  });
  stream.resume();
  return promise;
}

function concat(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}
