import type { Socket } from "node:net";

/**
 * Watches a client that waits for its tunnel, without taking a byte from it: what it sends meanwhile stays
 * in the socket's buffer, up to its high-water mark.
 *
 * A connection that broke, or was closed with nothing sent, means that the client is gone. One that was
 * half-closed after early data means a client that has said all it wanted and still listens.
 *
 * @param hasSpoken Whether early data was taken from the socket before.
 * @param onGone Called at most once.
 * @returns Stops watching; whoever calls it takes the socket over.
 */
export function watchWaitingClient(socket: Socket, hasSpoken: boolean, onGone: () => void): () => void {
  // Only with a "readable" listener does the socket read without handing bytes out; reading nothing from
  // an empty buffer is what lets "end" come.
  const onReadable = () => {
    if (socket.readableLength === 0) socket.read(0);
  };
  const stop = () => {
    socket.removeListener("readable", onReadable);
    socket.removeListener("end", gone);
    socket.removeListener("close", gone);
  };
  const gone = () => {
    stop();
    onGone();
  };
  socket.on("error", () => {});
  if (!hasSpoken) socket.on("end", gone);
  socket.on("close", gone);
  socket.on("readable", onReadable);
  return stop;
}
