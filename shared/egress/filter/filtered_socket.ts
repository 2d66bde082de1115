import type { Socket } from "node:net";
import { SallyportError } from "../../errors.ts";
import { ResponseFilter } from "./response_filter.ts";

const filters = new WeakMap<Socket, ResponseFilter>();

/**
 * Filters what arrives at a socket from now on, and returns the filter. It is placed where the socket gets its bytes,
 * so that node:http sees an ordinary socket.
 *
 * @throws {SallyportError} If the connection has already failed, or what has already arrived is not a response. The
 *   socket is destroyed then: before a request listens, an error event would end the process, and the close event
 *   would be missed.
 */
export function filterResponses(socket: Socket, method: string | undefined): ResponseFilter {
  if (socket.destroyed) {
    throw socket.errored ??
      new SallyportError("target_reset", "Cannot get a response: the target closed the connection at once");
  }
  const filter = new ResponseFilter();
  filter.begin(method);
  filters.set(socket, filter);
  const early: Uint8Array | null = socket.readableLength > 0 ? socket.read() : null;
  const push = socket.push;
  const pushFiltered = (chunk: Uint8Array): boolean => {
    let more = true;
    for (const part of filter.take(chunk)) more = !socket.destroyed && push.call(socket, part);
    // What follows a complete response is not read: the origin has to stop too.
    return more && filter.failure === undefined && !filter.exceeded;
  };
  if (early !== null) pushFiltered(early);
  if (filter.failure !== undefined) {
    socket.destroy();
    throw filter.failure;
  }
  socket.push = function (chunk: Uint8Array | null): boolean {
    if (chunk === null) return push.call(socket, null);
    const more = pushFiltered(chunk);
    if (filter.failure !== undefined) socket.destroy(filter.failure);
    return more;
  };
  return filter;
}

/** The filter of a socket that {@linkcode filterResponses} was called for. */
export function filterOf(socket: Socket): ResponseFilter {
  const filter = filters.get(socket);
  if (filter === undefined) {
    throw new SallyportError("internal", "Cannot read the response: it is not filtered");
  }
  return filter;
}
