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
  /** Where the proxy listens. */
  proxy: { host: string; port: number };
  /** Connections to the server. */
  connections: number;
  /** Open streams to the server. */
  streams: number;
  /** Open streams of what `bypass` sends directly. */
  directStreams: number;
  /** Open connections of clients. */
  clients: number;
  /** Why the last attempt to connect failed, while the state is failed, or to find a server, while it is asleep. */
  error?: string;
  /** Milliseconds until the next attempt, while the state is failed. */
  retryInMs?: number;
}

/** A page of the web whose name somebody lets lead to this machine is not answered. */
const HOSTS = ["127.0.0.1", "localhost"];

/** What makes a console. */
export interface ConsoleInit {
  /** 0 picks a free one. */
  readonly port: number;
  status(): AgentStatus;
  /** What `GET /proxy.pac` answers. */
  readonly proxyScript: string;
  /** The port took no connections for a while. */
  onTrouble(error: SallyportError): void;
}

/**
 * Opens the console on loopback: `/health` is 200 while the tunnel is ready, else 503; `/status` tells more;
 * `/proxy.pac` sets up browsers.
 */
export function openConsole({ port, status, proxyScript, onTrouble }: ConsoleInit): Promise<JsonPort> {
  const health = () => {
    const { state } = status();
    return { status: state === "ready" ? 200 : 503, body: { state } };
  };
  const script = { contentType: "application/x-ns-proxy-autoconfig", text: proxyScript };
  const routes = {
    "/health": health,
    "/status": () => ({ status: 200, body: status() }),
    "/proxy.pac": () => script,
  };
  return openJsonPort({ host: "127.0.0.1", port, hosts: HOSTS, routes, onTrouble });
}
