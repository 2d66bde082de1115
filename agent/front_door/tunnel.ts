import type { Socket } from "node:net";
import type { MuxStream } from "../../shared/mux/stream.ts";
import { splice } from "../../shared/net/splice.ts";
import type { FrontDoorContext } from "./context.ts";

/**
 * Answers a client with `answer` and joins it and its stream, until both directions have ended or one of them
 * broke.
 */
export function joinTunnel(
  context: FrontDoorContext,
  socket: Socket,
  stream: MuxStream,
  answer: Uint8Array,
  target: string,
): void {
  // The target's first bytes, when they came with the answer, leave in one write with it.
  socket.cork();
  queueMicrotask(() => socket.uncork());
  socket.write(answer);
  splice({
    socket,
    stream,
    clock: context.clock,
    idleTimeoutMs: context.idleTimeoutMs,
    resetCode: "cancelled",
    onClosed(error) {
      if (error !== undefined) {
        context.log.debug("Tunnel broke", { target, code: error.code, message: error.message });
      }
    },
  });
  // Whoever watched the client before had stopped it from flowing.
  socket.resume();
}
