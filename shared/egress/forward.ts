import type { MuxStream } from "../mux/stream/stream.ts";
import { forwardConnect } from "./connect.ts";
import type { ForwardContext } from "./context.ts";
import { forwardHttp } from "./http_exchange.ts";
import { forwardWebSocket } from "./websocket.ts";

/**
 * Serves a stream that an agent opened, by the type of its opening message (SPEC.md 4.2). `context.onDone` is called
 * once when the stream is over.
 *
 * @example
 * ```ts
 * import { systemClock } from "../system_clock.ts";
 * import type { MuxStream } from "../mux/stream/stream.ts";
 * import type { Dial } from "./dial/dial.ts";
 * import { forward } from "./forward.ts";
 * import { createOriginPool } from "./http/origin_pool.ts";
 *
 * export function serve(dial: Dial): (stream: MuxStream) => void {
 *   const origins = createOriginPool();
 *   return (stream) =>
 *     forward(stream, {
 *       dial,
 *       origins,
 *       clock: systemClock,
 *       idleTimeoutMs: 600_000,
 *       onDone: ({ target, code }) => console.log(target, code ?? "ok"),
 *     });
 * }
 * ```
 */
export function forward(stream: MuxStream, context: ForwardContext): void {
  switch (stream.opening.type) {
    case "connect_request":
      return forwardConnect(stream, context);
    case "http_request":
      return forwardHttp(stream, context);
    case "websocket_open":
      return forwardWebSocket(stream, context);
  }
}
