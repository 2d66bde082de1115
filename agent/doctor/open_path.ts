import { hostPort } from "../../shared/net/host_port.ts";
import { connect, type Socket } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import { connectThrough } from "../../shared/tls/proxy_tunnel.ts";
import type { UpstreamProxy } from "../../shared/tls/upstream_proxy.ts";
import type { HostAndPort } from "./found.ts";

/**
 * Connects to an address by TCP, directly or through a proxy.
 *
 * @param timeoutMs Milliseconds for it.
 * @returns A connection of which nothing is used yet; whoever takes it listens for its errors.
 * @throws SallyportError As `fromOsError` translates it, or as `connectThrough` throws it.
 */
export async function openPath(
  { host, port }: HostAndPort,
  timeoutMs: number,
  proxy: UpstreamProxy | undefined,
): Promise<Socket> {
  if (proxy !== undefined) return await connectThrough({ host, port, proxy, timeoutMs });
  const doing = `connect to ${hostPort(host, port)}`;
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host, port });
  const timer = setTimeout(() => {
    reject(new SallyportError("target_timeout", `Cannot ${doing}: no answer in ${timeoutMs} ms`));
    socket.destroy();
  }, timeoutMs);
  socket.once("connect", () => resolve(socket));
  // Stays for good: an error that comes later would end the process.
  socket.on("error", (error) => reject(fromOsError(error, doing)));
  return await promise.finally(() => clearTimeout(timer));
}
