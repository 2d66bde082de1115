import { SallyportError } from "../../../shared/errors.ts";
import { connectThrough, proxyStatusOf } from "../../../shared/tls/proxy_tunnel.ts";
import { fail, type Finding, pass, skip } from "../finding.ts";
import type { Found, HostAndPort } from "../found.ts";
import type { Step } from "../step.ts";

/** Does the proxy connect to the server, or, where only the cloud knows it, to the cloud's functions? */
export const proxy: Step = {
  name: "proxy",
  needs: ["configuration"],
  async look(found) {
    if (found.config.upstream === undefined) return skip("no proxy is configured");
    const target = found.server ?? endpointOf(found);
    const via = found.via(target);
    if (via === undefined) return skip(`NO_PROXY exempts ${target.host}`);
    try {
      const socket = await connectThrough({ ...target, proxy: via, timeoutMs: found.options.timeoutMs });
      socket.destroy();
      return pass(`${via.url.host} connects to ${target.host}, port ${target.port}`);
    } catch (error) {
      return refused(SallyportError.from(error));
    }
  },
};

function endpointOf({ config }: Found): HostAndPort {
  const { hostname, port, protocol } = config.cloud!.endpoints.wake;
  return { host: hostname, port: Number(port) || (protocol === "https:" ? 443 : 80) };
}

function refused(error: SallyportError): Finding {
  const status = proxyStatusOf(error);
  if (status === undefined) return fail("proxy_unreachable", error.message);
  return fail(status === 401 || status === 407 ? "proxy_login" : "proxy_refusal", error.message);
}
