import { SallyportError } from "../../../shared/errors.ts";
import { fail, type Failure, type Finding, pass } from "../finding.ts";
import type { Found, HostAndPort } from "../found.ts";
import { openPath } from "../open_path.ts";
import { pathProblem, proxyFailure } from "../path_failure.ts";
import type { Step } from "../step.ts";

/** Can a server be connected to at all? Of several one that can be will do, as for the agent. */
export const server: Step = {
  name: "server",
  needs: ["configuration", "names", "proxy", "fleet"],
  async look(found) {
    let first: Failure | undefined;
    for (const address of found.servers) {
      const finding = await connected(found, address);
      if (finding.outcome === "pass") return finding;
      if (finding.outcome === "fail") first ??= finding;
    }
    return first ?? fail("internal", "nobody knows where the server is");
  },
};

async function connected(found: Found, address: HostAndPort): Promise<Finding> {
  const { options: { timeoutMs } } = found;
  const via = found.via(address);
  const began = performance.now();
  try {
    found.server = { address, connection: await openPath(address, timeoutMs, via) };
    const how = via === undefined ? "" : `, through the proxy ${via.url.host},`;
    const took = Math.round(performance.now() - began);
    return pass(`${address.host}, port ${address.port}${how} takes a connection after ${took} ms`);
  } catch (error) {
    if (via !== undefined) return await proxyFailure(error, via, timeoutMs);
    return fail(pathProblem(error, "unreachable"), SallyportError.from(error).message);
  }
}
