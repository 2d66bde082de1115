import type { IdentityStore } from "../shared/pki/identity/identity_store.ts";
import { systemClock } from "../shared/system_clock.ts";
import type { Cloud } from "./cloud/cloud.ts";
import { sessionStatus } from "./console/link_status.ts";
import type { AgentStatus } from "./console/status.ts";
import type { DirectStreams } from "./direct/direct_streams.ts";
import type { FrontDoor } from "./front_door/front_door.ts";
import type { Tunnel } from "./tunnel/tunnel.ts";

/** The parts of an agent whose state is shown. */
export interface StatusSources {
  readonly tunnel: Tunnel;
  readonly direct: DirectStreams;
  readonly frontDoor: FrontDoor;
  readonly identities: IdentityStore;
  readonly cloud: Cloud | undefined;
}

/** The agent's status now, as `GET /status` answers it. */
export function agentStatus({ tunnel, direct, frontDoor, identities, cloud }: StatusSources): AgentStatus {
  const { state, figures: { sessions, totals } } = tunnel;
  const locator = cloud?.locatorState;
  const waking = state.name === "locating" && locator?.name === "waking" ? locator : undefined;
  const { address: host, port } = frontDoor.address;
  const { eager } = frontDoor;
  return {
    state: waking === undefined ? state.name : "waking",
    connections: totals.links,
    streams: totals.streams,
    direct_streams: direct.streamCount,
    clients: frontDoor.connectionCount,
    eager: eager !== undefined,
    reached_hosts: eager?.hosts.size ?? 0,
    early_answers: eager?.answered ?? 0,
    early_failures: eager?.failed ?? 0,
    proxy: { host, port },
    sessions: sessions.map(sessionStatus),
    resumptions: totals.resumptions,
    resent_bytes: totals.resentBytes,
    ...waking !== undefined &&
      { fleet: waking.fleet, waking_for_ms: Math.round(systemClock.now() - waking.since) },
    ...state.name === "asleep" && state.error !== undefined && { error: state.error.message },
    ...state.name === "failed" &&
      { error: state.error.message, retry_in_ms: Math.round(tunnel.retryInMs ?? 0) },
    ...identities.report(),
  };
}
