import type { MuxStream } from "../mux/stream.ts";
import { forwardConnect } from "./connect.ts";
import type { ForwardContext } from "./context.ts";
import { forwardHttp } from "./http.ts";
import { forwardWebSocket } from "./websocket.ts";

/** Serves a stream that an agent opened, whatever it is for. `context.onDone` hears when it is over. */
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
