import { hostPort } from "../../shared/net/host_port.ts";
import { reachable } from "../../shared/net/reachable.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { UserAndPassword } from "../../shared/config/fields.ts";

/** Where the agent's proxy is, and whom it serves. */
export interface LocalProxy {
  /** As the agent listens. */
  readonly host: string;
  readonly port: number;
  /** What clients must give. @default undefined */
  readonly credentials: UserAndPassword | undefined;
}

/** The address of the proxy as programs on this machine reach it. */
export function reachedAt({ host, port }: Pick<LocalProxy, "host" | "port">): { host: string; port: number } {
  if (port === 0) {
    throw new SallyportError(
      "bad_request",
      "Cannot tell the proxy's address: local_proxy_port is 0; give it a number",
    );
  }
  return { host: reachable(host), port };
}

/**
 * Variables that make programs go through the proxy: each in both spellings, since some know only one. This machine
 * itself is left out.
 *
 * @param withGit Whether `git` over `ssh` goes through it too, by way of `nc` (that of OpenBSD).
 * @throws {SallyportError} `bad_request` when the address is not known before the agent runs, or `nc` would have to
 * give a password.
 */
export function proxyEnvironment(proxy: LocalProxy, { withGit = false } = {}): Record<string, string> {
  const { host, port } = reachedAt(proxy);
  const at = hostPort(host, port);
  const login = proxy.credentials === undefined
    ? ""
    : `${encodeURIComponent(proxy.credentials.user)}:${encodeURIComponent(proxy.credentials.password)}@`;
  const variables: Record<string, string> = {};
  const values = {
    http_proxy: `http://${login}${at}`,
    https_proxy: `http://${login}${at}`,
    // Names are resolved by the server.
    all_proxy: `socks5h://${login}${at}`,
    no_proxy: "localhost,127.0.0.1,::1",
  };
  for (const [name, value] of Object.entries(values)) {
    variables[name.toUpperCase()] = value;
    variables[name] = value;
  }
  if (!withGit) return variables;
  if (login !== "") {
    throw new SallyportError(
      "bad_request",
      "Cannot set GIT_SSH_COMMAND: nc gives no password, local_proxy_auth wants one",
    );
  }
  return { ...variables, GIT_SSH_COMMAND: `ssh -o ProxyCommand='nc -X 5 -x ${at} %h %p'` };
}
