import type { SallyportError } from "../../../shared/errors.ts";
import type { MuxStream } from "../../../shared/mux/stream/stream.ts";
import { within } from "../within.ts";

/** Waits until a stream has closed, reading everything; returns its error, undefined after a good end. */
export function streamEnd(stream: MuxStream): Promise<SallyportError | undefined> {
  const { promise, resolve } = Promise.withResolvers<SallyportError | undefined>();
  stream.listen({ closed: resolve });
  stream.resume();
  return within(5_000, promise, `the end of stream ${stream.id}`);
}
