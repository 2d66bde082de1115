import { connect, type Socket } from "node:net";
import { type ErrorCode, SallyportError } from "../../shared/errors.ts";
import { promiseWithDeadline } from "../../shared/net/deadline.ts";
import { hostPort } from "../../shared/net/host_port.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import { proxyStatusOf } from "../upstream/proxy_refusal.ts";
import { connectThrough } from "../upstream/proxy_tunnel.ts";
import { addressOf, type UpstreamProxy } from "../upstream/upstream_proxy.ts";
import type { HostAndPort } from "./diagnosis.ts";
import type { ProblemName } from "./problems.ts";
import { fail, type ProblemFinding } from "./step.ts";

/**
 * Connects to an address over TCP, directly or through a proxy.
 *
 * @param timeoutMs Milliseconds for the connection.
 * @returns An unused connection; the caller handles its errors.
 * @throws SallyportError As `fromOsError` translates it, or as `connectThrough` throws it.
 */
export async function openPath(
  { host, port }: HostAndPort,
  timeoutMs: number,
  proxy: UpstreamProxy | undefined,
): Promise<Socket> {
  if (proxy !== undefined) return await connectThrough({ host, port, proxy, timeoutMs });
  const doing = `connect to ${hostPort(host, port)}`;
  return await promiseWithDeadline({ doing, timeoutMs }, (resolve, reject) => {
    const socket = connect({ host, port });
    socket.once("connect", () => resolve(socket));
    // Never removed: an unhandled error would end the process.
    socket.on("error", (error) => reject(fromOsError(error, doing)));
    return () => socket.destroy();
  });
}

const PROBLEM_OF: Readonly<Partial<Record<ErrorCode, ProblemName>>> = {
  target_refused: "refused",
  target_timeout: "silent",
  target_reset: "reset",
  target_unreachable: "unreachable",
  dns_error: "dns",
  dns_timeout: "dns",
};

/** The problem that an error of a connection means; `otherwise` for other errors. */
export function pathProblem(error: unknown, otherwise: ProblemName): ProblemName {
  const cause = error instanceof SallyportError && error.code === "tunnel_down" ? error.cause : error;
  return cause === undefined ? otherwise : PROBLEM_OF[fromOsError(cause, "connect").code] ?? otherwise;
}

/**
 * Finds out why a proxy did not connect: it answered with an error, is not a usable proxy, or is unreachable. A proxy
 * that accepts connections and stays silent is waiting for the target.
 */
export async function proxyProblem(
  reason: unknown,
  proxy: UpstreamProxy,
  timeoutMs: number,
): Promise<ProblemFinding> {
  const error = SallyportError.from(reason);
  const status = proxyStatusOf(error);
  if (status === 401 || status === 407) return fail("proxy_login", error.message);
  if (status !== undefined) {
    return fail(status >= 500 ? "proxy_cannot_reach" : "proxy_refusal", error.message);
  }
  try {
    const connection = await openPath(addressOf(proxy.url), timeoutMs, undefined);
    connection.destroy();
  } catch {
    return fail("proxy_unreachable", error.message);
  }
  // An error of the proxy itself has a cause.
  return fail(error.cause === undefined ? "proxy_cannot_reach" : "proxy_unusable", error.message);
}
