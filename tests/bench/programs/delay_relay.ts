/**
 * A path of TCP connections with a delay, and with a rate where one is given. Its queue is deep: a sender that goes by
 * what the connection accepts fills it.
 *
 * Argument: JSON of {@linkcode DelayPath}. The port is in its first line of output.
 */
import { Buffer } from "node:buffer";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Line, type LineOptions } from "../../support/paths/line.ts";
import { endWithParent } from "../../support/paths/lifeline.ts";

/** What the relay simulates, in each direction and over all connections. */
export interface DelayPath extends LineOptions {
  /** The port of 127.0.0.1 that it forwards to. */
  readonly to: number;
  /** Bytes that may wait for the rate before the relay stops reading; null for any number. */
  readonly queueBytes: number | null;
}

const path: DelayPath = JSON.parse(Deno.args[0]!);
const up = new Line<() => void>(path, (deliver) => deliver());
const down = new Line<() => void>(path, (deliver) => deliver());
/** Sockets that are not read until their direction's queue has room again. */
const paused = new Map<Socket, Line<() => void>>();

function pump(from: Socket, to: Socket, line: Line<() => void>): void {
  from.on("data", (part: Buffer) => {
    line.take(() => void to.write(part), part.length);
    if (line.backlog <= (path.queueBytes ?? Infinity)) return;
    from.pause();
    paused.set(from, line);
  });
  from.on("end", () => line.take(() => void to.end(), 0));
  from.on("error", () => to.destroy());
  from.on("close", () => {
    paused.delete(from);
    if (from.errored !== null) to.destroy();
  });
}

/** Often enough that the queue never runs empty. */
setInterval(() => {
  for (const [socket, line] of paused) {
    if (line.backlog > (path.queueBytes ?? Infinity)) continue;
    paused.delete(socket);
    socket.resume();
  }
}, 5);

const options = { noDelay: true, allowHalfOpen: true };
const server = createServer(options, (near) => {
  near.pause();
  near.on("error", () => {});
  // The handshake of TCP crosses the path once in each direction, before the first byte.
  up.take(() => {
    if (near.destroyed) return;
    const far = connect({ ...options, port: path.to, host: "127.0.0.1" });
    down.take(() => near.resume(), 0);
    pump(near, far, up);
    pump(far, near, down);
  }, 0);
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
await endWithParent({ port: (server.address() as AddressInfo).port });
