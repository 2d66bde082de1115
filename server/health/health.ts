import type { SallyportError } from "../../shared/errors.ts";
import { type JsonPort, openJsonPort } from "../../shared/http/json_port.ts";
import type { SessionTotals } from "../../shared/mux/session/session_figures.ts";
import type { TrustReport } from "../../shared/pki/identity/trust_report.ts";
import type { Counters } from "../metrics/counters.ts";
import { type Gauges, prometheusText } from "../metrics/prometheus.ts";

/** What `GET /health` answers about the server. */
export interface Health extends TrustReport {
  /** "ready", or "draining" once the server is shutting down. */
  state: "ready" | "draining";
  /** mTLS connections of agents. */
  connections: number;
  /** Agent processes. */
  agents: number;
  /** Seconds since the start. */
  uptime_s: number;
}

/** What `GET /health` answers about sessions. */
interface SessionHealth {
  /** Open streams. */
  streams: number;
  /** Sessions of agents. */
  sessions: number;
  /** Sessions without a connection, which wait for one (SPEC.md 3.7). */
  waiting_sessions: number;
  /** Connections that belong to a session. */
  links: number;
  /** How often a session continued after it had lost all connections, since the start. */
  resumptions: number;
  /** Bytes of bodies that the server sent again, because a connection was lost or suspect. */
  resent_bytes: number;
}

/** What makes the health port. */
export interface HealthPortInit {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  health(): Health;
  /** The sessions of agents, and what they and earlier ones did. */
  totals(): SessionTotals;
  readonly counters: Counters;
  /** How much of each limit is used, by its name in the metrics; the port adds its own connections. */
  limits(): Gauges["limits"];
  /** The port could not accept connections for a while, and why. */
  onError(error: SallyportError): void;
  /** The port is open again after an `onError`, `downMs` milliseconds later. */
  onReopened?(downMs: number): void;
}

/**
 * Opens the health port: `GET /health` is 200 when ready and 503 while draining, for load balancers and ECS;
 * `GET /metrics` is for Prometheus.
 *
 * @throws {SallyportError} When it cannot listen there.
 */
export async function openHealthPort(
  { host, port, health, totals, counters, limits, ...events }: HealthPortInit,
): Promise<JsonPort> {
  const answer = () => {
    const { state, connections, agents, ...others } = health();
    const body = { state, connections, agents, ...sessionHealth(totals()), ...others };
    return { status: state === "ready" ? 200 : 503, body };
  };
  const opened: JsonPort = await openJsonPort({
    host,
    port,
    routes: {
      "/health": answer,
      "/metrics": () => {
        const all = { ...limits(), health_connections: opened.figures() };
        return prometheusText(counters, { ...gaugesOf(health()), totals: totals(), limits: all });
      },
    },
    ...events,
  });
  return opened;
}

function sessionHealth({ waiting, resentBytes, ...others }: SessionTotals): SessionHealth {
  return { ...others, waiting_sessions: waiting, resent_bytes: resentBytes };
}

function gaugesOf(
  { connections, agents, certificate, ca_certificate, crl }: Health,
): Omit<Gauges, "totals" | "limits"> {
  const expiries = {
    own: secondsOf(certificate.not_after),
    ca: secondsOf(ca_certificate.not_after),
    ...(crl === undefined ? {} : { crl: secondsOf(crl.next_update) }),
  };
  return { connections, agents, expiries, crlEntries: crl?.entries ?? 0 };
}

function secondsOf(time: string): number {
  return Date.parse(time) / 1000;
}
