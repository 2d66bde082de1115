import { type ErrorCode, SallyportError } from "../../shared/errors.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import { addressOf, type UpstreamProxy } from "../../shared/tls/upstream_proxy.ts";
import { proxyStatusOf } from "../../shared/tls/proxy_refusal.ts";
import { fail, type Failure } from "./finding.ts";
import { openPath } from "./open_path.ts";
import type { ProblemName } from "./problems.ts";

const PROBLEM_OF: Readonly<Partial<Record<ErrorCode, ProblemName>>> = {
  target_refused: "refused",
  target_timeout: "silent",
  target_reset: "reset",
  target_unreachable: "unreachable",
  dns_error: "dns",
  dns_timeout: "dns",
};

/** The problem with a path on which somebody was not reached; `otherwise` where nothing of that kind was seen. */
export function pathProblem(error: unknown, otherwise: ProblemName): ProblemName {
  const cause = error instanceof SallyportError && error.code === "tunnel_down" ? error.cause : error;
  return cause === undefined ? otherwise : PROBLEM_OF[fromOsError(cause, "connect").code] ?? otherwise;
}

/**
 * What it means that a proxy did not connect to somebody: it says so, or it cannot be used, or it is not there. One
 * that takes connections and says nothing waits for the target itself.
 */
export async function proxyFailure(
  reason: unknown,
  proxy: UpstreamProxy,
  timeoutMs: number,
): Promise<Failure> {
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
  // Where it is the proxy's fault that nothing came of it, the error has a cause.
  return fail(error.cause === undefined ? "proxy_cannot_reach" : "proxy_unusable", error.message);
}
