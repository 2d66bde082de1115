import type { Socket } from "node:net";
import { SallyportError } from "../errors.ts";
import type { MuxStream } from "../mux/stream/stream.ts";
import { splice } from "../net/splice.ts";
import type { ForwardContext } from "./context.ts";
import { StreamAccounting } from "./accounting.ts";
import { refuse } from "./refuse.ts";

/**
 * Serves a `connect_request`: connects to the target and splices both. Until then the client's first bytes wait in
 * the stream. A failure is answered by `connect_ack` with its error.
 */
export function forwardConnect(stream: MuxStream, context: ForwardContext): void {
  const { host, port } = stream.opening.payload;
  const accounting = new StreamAccounting(stream, context);
  const abort = new AbortController();
  stream.listen({
    closed: (error) => {
      abort.abort();
      accounting.done(error);
    },
  });
  context.dial(host, port, abort.signal).then(
    (socket) => join(socket, stream, context, accounting),
    (reason: unknown) => {
      if (!stream.over) refuse(stream, SallyportError.from(reason), { accounting, clock: context.clock });
    },
  );
}

function join(
  socket: Socket,
  stream: MuxStream,
  context: ForwardContext,
  accounting: StreamAccounting,
): void {
  if (stream.over) {
    socket.destroy();
    return;
  }
  accounting.address = socket.remoteAddress;
  stream.send({ type: "connect_ack", payload: {} });
  const { clock, idleTimeoutMs, onActive } = context;
  const onClosed = (error: SallyportError | undefined) => accounting.done(error);
  splice({ socket, stream, clock, idleTimeoutMs, onActive, resetCode: "target_reset", onClosed });
}
