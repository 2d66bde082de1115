import { MemoryBudget } from "../shared/mux/memory_budget.ts";
import { SocketTransport } from "../shared/net/socket_transport.ts";
import { systemClock } from "../shared/system_clock.ts";
import { VERSION } from "../shared/version.ts";
import { FleetClient } from "./cloud/fleet_client.ts";
import type { AgentConfig } from "./config.ts";
import { askConsole } from "./console/ask_console.ts";
import type { Surroundings } from "./doctor/surroundings.ts";
import { establish } from "./tunnel/establish.ts";
import { proxyFor } from "./upstream/upstream.ts";

/** Bytes that its streams may take beyond their first window. */
const STREAM_MEMORY = 16_777_216;

/** What an examination uses of the rooms that a running agent is made of. */
export function doctorSurroundings(load: () => Promise<AgentConfig>): Surroundings {
  return {
    load,
    runningAgent: (consolePort) =>
      askConsole(consolePort).then(
        ({ status }) => ({ state: status.state, proxyPort: status.proxy.port }),
        () => undefined,
      ),
    proxyFor: ({ upstream }, host, port) => proxyFor(upstream, host, port),
    callFleet({ cloud, upstream }, identity, action, signal) {
      const { endpoints } = cloud!;
      const via = (host: string, port: number) => proxyFor(upstream, host, port);
      return new FleetClient({ endpoints, identity: () => identity, clock: systemClock, via }).call(
        action,
        signal,
      );
    },
    openSession: (socket, signal) =>
      establish(new SocketTransport(socket), {
        clock: systemClock,
        options: { software: `sallyport/${VERSION}`, id: crypto.randomUUID() },
        budget: new MemoryBudget(STREAM_MEMORY),
        signal,
        // Whoever uses the session hears of its end from what is under way.
        events: { draining() {}, closed() {}, fault() {} },
      }),
  };
}
