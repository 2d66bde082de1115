import { dialableHost, hostPort } from "../../shared/net/host_port.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { UserAndPassword } from "../../shared/config/fields.ts";

/** The agent's proxy. */
export interface LocalProxy {
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  /** Credentials that clients need. @default undefined */
  readonly credentials: UserAndPassword | undefined;
}

/** The address of the proxy for programs on this machine. */
function dialableAddress({ host, port }: Pick<LocalProxy, "host" | "port">): { host: string; port: number } {
  if (port === 0) {
    throw new SallyportError(
      "bad_request",
      "Cannot tell the proxy's address: local_proxy_port is 0; give it a number",
    );
  }
  return { host: dialableHost(host), port };
}

/**
 * Variables that send programs through the proxy, in upper and lower case, since some programs read only one. This
 * machine is exempt.
 *
 * @param withGit Whether `git` over `ssh` uses the proxy too, with `nc` (that of OpenBSD).
 * @throws {SallyportError} `bad_request` if the port is chosen at the start of the agent, or if `nc` would need a password.
 */
export function proxyEnvironment(proxy: LocalProxy, { withGit = false } = {}): Record<string, string> {
  const { host, port } = dialableAddress(proxy);
  const at = hostPort(host, port);
  const login = proxy.credentials === undefined
    ? ""
    : `${encodeURIComponent(proxy.credentials.user)}:${encodeURIComponent(proxy.credentials.password)}@`;
  const variables: Record<string, string> = {};
  const values = {
    http_proxy: `http://${login}${at}`,
    https_proxy: `http://${login}${at}`,
    // With "h", the server looks up names.
    all_proxy: `socks5h://${login}${at}`,
    no_proxy: "localhost,127.0.0.1,::1",
  };
  for (const [name, value] of Object.entries(values)) {
    variables[name.toUpperCase()] = value;
    variables[name] = value;
  }
  // Without it npx, which runs the agent's commands, queries the registry at every start: with the tunnel down that
  // takes minutes.
  variables["npm_config_prefer_offline"] = "true";
  if (!withGit) return variables;
  if (login !== "") {
    throw new SallyportError(
      "bad_request",
      "Cannot set GIT_SSH_COMMAND: local_proxy_auth requires a password, which nc cannot send",
    );
  }
  return { ...variables, GIT_SSH_COMMAND: `ssh -o ProxyCommand='nc -X 5 -x ${at} %h %p'` };
}
