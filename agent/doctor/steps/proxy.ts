import { addressOf } from "../../../shared/tls/upstream_proxy.ts";
import { fail, pass, skip } from "../finding.ts";
import { openPath } from "../open_path.ts";
import { proxyFailure } from "../path_failure.ts";
import type { Step } from "../step.ts";

/** Does the proxy connect to the server, or, where only the cloud knows it, to the cloud's functions? */
export const proxy: Step = {
  name: "proxy",
  needs: ["configuration"],
  async look(found) {
    const { config: { upstream, cloud }, options: { timeoutMs } } = found;
    if (upstream === undefined) return skip("no proxy is configured");
    const target = found.servers[0] ?? (cloud && addressOf(cloud.endpoints.wake));
    if (target === undefined) return fail("internal", "nobody knows whom it is to connect to");
    const via = found.via(target);
    if (via === undefined) return skip(`NO_PROXY exempts ${target.host}`);
    try {
      const connection = await openPath(target, timeoutMs, via);
      connection.destroy();
      return pass(`${via.url.host} connects to ${target.host}, port ${target.port}`);
    } catch (error) {
      const failure = await proxyFailure(error, via, timeoutMs);
      found.proxyProblem = failure.problem;
      return failure;
    }
  },
};
