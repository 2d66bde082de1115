import type { SallyportError } from "../shared/errors.ts";
import { type JsonPort, openJsonPort } from "../shared/http/json_port.ts";

/** What `GET /health` answers. */
export interface Health {
  /** "ready", or "draining" once the server was asked to stop. */
  state: "ready" | "draining";
  /** mTLS connections of agents. */
  connections: number;
  /** Agent processes. */
  agents: number;
  /** Open streams. */
  streams: number;
  /** Seconds since the start. */
  uptime: number;
}

/** Opens the health port: `GET /health` is 200 when ready and 503 while draining, for load balancers and ECS. */
export function openHealthPort(
  host: string,
  port: number,
  health: () => Health,
  onTrouble: (error: SallyportError) => void,
): JsonPort {
  const answer = () => {
    const body = health();
    return { status: body.state === "ready" ? 200 : 503, body };
  };
  return openJsonPort({ host, port, routes: { "/health": answer }, onTrouble });
}
