import type { SallyportError } from "../../shared/errors.ts";
import { type JsonPort, openJsonPort } from "../../shared/http/json_port.ts";
import type { TrustReport } from "../../shared/tls/trust_report.ts";

/** What `GET /status` answers. */
export interface AgentStatus extends TrustReport {
  /** The tunnel's state: closed, locating, waking, asleep, connecting, ready, failed or draining. */
  state: string;
  /** What the cloud says of the server, while the state is waking. */
  fleet?: string;
  /** Milliseconds since somebody began to wake the server, while the state is waking. */
  wakingForMs?: number;
  /** Connections to the server. */
  connections: number;
  /** Open streams. */
  streams: number;
  /** Open connections of clients. */
  clients: number;
  /** Why the last attempt to connect failed, while the state is failed, or to find a server, while it is asleep. */
  error?: string;
  /** Milliseconds until the next attempt, while the state is failed. */
  retryInMs?: number;
}

/** Opens the console on loopback: `/health` is 200 while the tunnel is ready, else 503; `/status` tells more. */
export function openConsole(
  port: number,
  status: () => AgentStatus,
  onTrouble: (error: SallyportError) => void,
): JsonPort {
  const health = () => {
    const { state } = status();
    return { status: state === "ready" ? 200 : 503, body: { state } };
  };
  const routes = { "/health": health, "/status": () => ({ status: 200, body: status() }) };
  return openJsonPort({ host: "127.0.0.1", port, routes, onTrouble });
}
