import type { Socket } from "node:net";
import { SallyportError } from "../errors.ts";
import type { MuxStream } from "../mux/stream.ts";
import { splice } from "../net/splice.ts";
import type { ForwardContext } from "./context.ts";
import { OutcomeRecorder } from "./outcome.ts";
import { refuse } from "./refuse.ts";

/**
 * Serves a `connect_request`: connects to the target and joins both. The client's first bytes wait in the
 * stream meanwhile. A failure is answered with `connect_ack` and its error.
 */
export function forwardConnect(stream: MuxStream, context: ForwardContext): void {
  const { host, port } = stream.opening.payload;
  const recorder = new OutcomeRecorder(stream, context);
  const abort = new AbortController();
  stream.listen({
    closed: (error) => {
      abort.abort();
      recorder.done(error);
    },
  });
  context.dial(host, port, abort.signal).then(
    (socket) => join(socket, stream, context, recorder),
    (reason: unknown) => {
      if (!stream.over) refuse(stream, SallyportError.from(reason), { recorder, clock: context.clock });
    },
  );
}

function join(socket: Socket, stream: MuxStream, context: ForwardContext, recorder: OutcomeRecorder): void {
  if (stream.over) {
    socket.destroy();
    return;
  }
  recorder.address = socket.remoteAddress;
  stream.send({ type: "connect_ack", payload: {} });
  const { clock, idleTimeoutMs } = context;
  const onClosed = (error: SallyportError | undefined) => recorder.done(error);
  splice({ socket, stream, clock, idleTimeoutMs, resetCode: "target_reset", onClosed });
}
