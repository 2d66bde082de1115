import { connect } from "node:net";
import { type ErrorCode, SallyportError } from "../../../shared/errors.ts";
import { fromOsError } from "../../../shared/net/os_error.ts";
import { fail, pass, skip } from "../finding.ts";
import type { HostAndPort } from "../found.ts";
import type { ProblemName } from "../problems.ts";
import { reasonOf } from "../reason_of.ts";
import type { Step } from "../step.ts";

/** What a connection that was not had says about the path. */
const PROBLEM_OF: Partial<Record<ErrorCode, ProblemName>> = {
  target_refused: "refused",
  target_timeout: "silent",
  target_reset: "reset",
  dns_error: "dns",
  dns_timeout: "dns",
};

/** Can the server be connected to at all? */
export const server: Step = {
  name: "server",
  needs: ["configuration", "names", "proxy", "fleet"],
  async look(found) {
    const address = found.server!;
    const via = found.via(address);
    if (via !== undefined) return skip(`the proxy ${via.url.host} connects to it`);
    const began = performance.now();
    try {
      await connectOnce(address, found.options.timeoutMs);
      const took = Math.round(performance.now() - began);
      return pass(`${address.host}, port ${address.port}, answers after ${took} ms`);
    } catch (error) {
      return fail(PROBLEM_OF[reasonOf(error)] ?? "unreachable", SallyportError.from(error).message);
    }
  },
};

function connectOnce({ host, port }: HostAndPort, timeoutMs: number): Promise<void> {
  const doing = `connect to ${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port });
  const late = () =>
    reject(new SallyportError("target_timeout", `Cannot ${doing}: no answer in ${timeoutMs} ms`));
  const timer = setTimeout(late, timeoutMs);
  socket.once("connect", resolve);
  socket.on("error", (error) => reject(fromOsError(error, doing)));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}
