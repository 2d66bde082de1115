import { MemoryBudget } from "../shared/mux/flow/memory_budget.ts";
import { SocketTransport } from "../shared/net/socket_transport.ts";
import { systemClock } from "../shared/system_clock.ts";
import { VERSION } from "../shared/version.ts";
import { FleetClient } from "./cloud/fleet_client.ts";
import type { AgentConfig } from "./config/config.ts";
import { linkLines, type SessionStatus, sessionStatus } from "./console/link_status.ts";
import { fetchStatus, isAgentProxy } from "./console/running_agent.ts";
import type { DoctorContext, RunningAgent, ShownLinks } from "./doctor/context.ts";
import { openSession } from "./tunnel/open_session.ts";
import { proxyFor } from "./upstream/upstream.ts";

/** Bytes that all streams may use beyond their first window. */
const STREAM_MEMORY = 16_777_216;

/** Gives doctor what it uses of the agent's other parts. @param load Reads the configuration. */
export function createDoctorContext(load: () => Promise<AgentConfig>): DoctorContext {
  return {
    load,
    runningAgent,
    isAgentProxy,
    proxyFor: ({ upstream }, host, port) => proxyFor(upstream, host, port),
    callFleet({ cloud, upstream }, identity, action, signal) {
      const { endpoints } = cloud!;
      const via = (host: string, port: number) => proxyFor(upstream, host, port);
      const client = new FleetClient({ endpoints, identity: () => identity, clock: systemClock, via });
      return client.call(action, signal);
    },
    linksOf: ({ figures }) => shown([sessionStatus(figures)]),
    openSession: (socket, signal) =>
      openSession(new SocketTransport(socket), {
        clock: systemClock,
        options: { software: `sallyport/${VERSION}`, id: crypto.randomUUID() },
        budget: new MemoryBudget(STREAM_MEMORY),
        signal,
        // The steps that use the session see its end in their own streams.
        events: { draining() {}, links() {}, closed() {}, consumerError() {} },
      }),
  };
}

async function runningAgent(consolePort: number): Promise<RunningAgent | undefined> {
  try {
    const { status: { state, proxy, sessions = [] } } = await fetchStatus(consolePort);
    return { state, proxy, links: shown(sessions) };
  } catch {
    return undefined; // whatever listens there, it is not an agent
  }
}

function shown(sessions: readonly SessionStatus[]): ShownLinks {
  return { lines: sessions.flatMap(linkLines), json: sessions.flatMap(({ links }) => links) };
}
