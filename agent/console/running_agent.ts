import { SallyportError } from "../../shared/errors.ts";
import { dialableHost, hostPort } from "../../shared/net/host_port.ts";
import { listenProblemOf } from "../../shared/net/os_error.ts";
import { type AgentConfig, CONSOLE_HOST } from "../config/config.ts";
import { webRequest } from "../upstream/web_request.ts";
import { type ReceivedStatus, STATUS_SCHEMA } from "./status.ts";

/** Limits for an answer. */
const LIMITS = { timeoutMs: 3_000, maxBytes: 65_536 };

/**
 * Fetches the status of an agent that runs on this machine.
 *
 * @returns The status, and the JSON as received.
 * @throws SallyportError `tunnel_down` if nothing answers; another error if the answer is not an agent's status.
 */
export async function fetchStatus(consolePort: number): Promise<{ status: ReceivedStatus; json: string }> {
  const url = new URL(`http://${hostPort(CONSOLE_HOST, consolePort)}/status`);
  const { body } = await webRequest({ url, method: "GET", ...LIMITS });
  return { status: STATUS_SCHEMA.parse(JSON.parse(body)), json: body.trim() };
}

/** Whether an agent's proxy listens at this address: opened as a website, it answers with its own page. */
export async function isAgentProxy(host: string, port: number): Promise<boolean> {
  const url = new URL(`http://${hostPort(dialableHost(host), port)}/`);
  const headers = { accept: "text/plain" };
  try {
    const { status, body } = await webRequest({ url, method: "GET", headers, ...LIMITS, mayBeCut: true });
    return status === 200 && /\bSallyport\b/.test(body);
  } catch {
    return false; // whatever listens there, it is not an agent
  }
}

/** Explains an error of the agent's start: if a port is taken by another agent, says so. */
export async function withRunningAgent(
  error: unknown,
  { consolePort, localProxyPort }: Pick<AgentConfig, "consolePort" | "localProxyPort">,
): Promise<unknown> {
  if (listenProblemOf(error) !== "port_taken" || consolePort === 0) return error;
  const running = await fetchStatus(consolePort).then(({ status }) => status, () => undefined);
  if (running === undefined) return error;
  const { host, port } = running.proxy;
  const keys = port === localProxyPort ? "local_proxy_port and console_port" : "console_port";
  return new SallyportError(
    "internal",
    `Cannot start: another Sallyport agent already listens on ${
      hostPort(host, port)
    }, with its console on port ` +
      `${consolePort}; use that one, stop it, or set ${keys} to other ports`,
    { cause: error },
  );
}
