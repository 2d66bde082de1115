import { systemClock } from "../shared/system_clock.ts";
import { getLogger } from "../shared/log.ts";
import type { MemoryBudget } from "../shared/mux/memory_budget.ts";
import { OwnPorts } from "../shared/targets/own_ports.ts";
import type { Lookup } from "../shared/targets/resolve.ts";
import type { AgentConfig } from "./config.ts";
import { Direct } from "./direct/direct.ts";
import { MAX_SCRIPT_BYTES, proxyScript } from "./routes/proxy_script.ts";
import { createRouter, type Open } from "./routes/router.ts";
import { Routes } from "./routes/routes.ts";

/** What makes a {@linkcode DirectSide}. */
export interface DirectSideInit {
  /** Opens streams to the server. */
  readonly tunnel: Open;
  readonly budget: MemoryBudget;
  /** Who knows names. @default the system */
  readonly lookup?: Lookup | undefined;
}

/** The agent's part in where requests go: through the tunnel, directly, or nowhere. */
export interface DirectSide {
  /** Opens each stream the way that its target goes. */
  readonly openStream: Open;
  /** Streams that go directly and are open. */
  readonly streamCount: number;
  /** The agent listens on a port: nobody is sent there. */
  ownPort(port: number): void;
  /**
   * What browsers may reach without the agent, as a proxy auto-configuration file; all else goes to the agent, which
   * decides by itself. Warns where the lists are too long for it.
   *
   * @param proxy Where the proxy listens.
   */
  proxyScript(proxy: { host: string; port: number }): string;
  /** Takes no more streams, lets those that are open end within `timeout` milliseconds, and disconnects. */
  drain(timeout: number): Promise<void>;
}

const TOO_LARGE = `bypass and block would make it larger than ${MAX_SCRIPT_BYTES} bytes, which browsers ` +
  "refuse and then go past the tunnel: it sends everything to the agent, which bypasses by itself; shorten bypass, " +
  "or what of block is within it, for browsers to go directly";

/** Sets up what `bypass` and `block` say; @throws SallyportError `bad_request` for an entry that cannot be read. */
export function openDirectSide(
  config: Pick<AgentConfig, "bypass" | "block">,
  { tunnel, budget, lookup }: DirectSideInit,
): DirectSide {
  const routes = new Routes(config);
  const ownPorts = new OwnPorts();
  const blockOf = (address: string, port: number) => routes.blockOf(address, port);
  const log = getLogger("direct");
  const direct = new Direct({ clock: systemClock, log, budget, blockOf, ownPorts, lookup });
  return {
    openStream: createRouter(routes, {
      tunnel,
      direct: (opening, first) => direct.openStream(opening, first),
    }),
    get streamCount() {
      return direct.streamCount;
    },
    ownPort: (port) => ownPorts.add(port),
    proxyScript(proxy) {
      const { text, tooLarge } = proxyScript(routes, proxy);
      if (tooLarge !== undefined) {
        log.warn("proxy script without lists", { bytes: tooLarge, reason: TOO_LARGE });
      }
      return text;
    },
    drain: (timeout) => direct.drain(timeout),
  };
}
