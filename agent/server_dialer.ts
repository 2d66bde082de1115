import { SallyportError } from "../shared/errors.ts";
import type { SessionOptions } from "../shared/mux/options.ts";
import type { Transport } from "../shared/mux/transport.ts";
import { SocketTransport } from "../shared/net/socket_transport.ts";
import type { Identity } from "../shared/pki/identity/identity.ts";
import type { IdentityStore } from "../shared/pki/identity/identity_store.ts";
import { systemClock } from "../shared/system_clock.ts";
import { type DialledConnection, dialTls } from "../shared/tls/dial.ts";
import type { ServerAddress, Servers } from "./cloud/servers.ts";
import type { AgentConfig } from "./config/config.ts";
import { queryStatus } from "./tunnel/open_session.ts";
import type { ServerRevalidation } from "./tunnel/server_revalidation.ts";
import type { Dial } from "./tunnel/tunnel_options.ts";
import { routeThrough } from "./upstream/proxy_tunnel.ts";
import type { UpstreamProxy } from "./upstream/upstream_proxy.ts";

/** Milliseconds for TCP and TLS to the server. */
const CONNECT_TIMEOUT = 10_000;

/** A connection to a server that was verified. */
interface DialledServer {
  readonly socket: DialledConnection["socket"];
  /** Carries frames over the socket. */
  readonly transport: Transport;
}

/** Connects to a server and verifies its certificate. @param identity The agent's own. @default {the current one} */
export type DialServer = (
  server: ServerAddress,
  signal: AbortSignal,
  identity?: Identity,
) => Promise<DialledServer>;

/** What {@linkcode createDialServer} needs. */
export interface ServerDialerInit {
  readonly config: Pick<AgentConfig, "serverName" | "sni">;
  readonly identities: Pick<IdentityStore, "current">;
  readonly revalidation: Pick<ServerRevalidation, "add">;
  /** The proxy for an address; undefined if it is reached directly. */
  via(host: string, port: number): UpstreamProxy | undefined;
}

/** Creates a function that connects to one server. */
export function createDialServer({ config, identities, revalidation, via }: ServerDialerInit): DialServer {
  const { serverName, sni } = config;
  return async ({ host, port }, signal, identity = identities.current) => {
    const { socket, peer } = await dialTls({
      host,
      port,
      serverName,
      sni,
      identity,
      connectTimeoutMs: CONNECT_TIMEOUT,
      via: routeThrough(via(host, port)),
      signal,
    });
    const transport = new SocketTransport(socket);
    revalidation.add(socket, { peer, reject: (error) => transport.reject(error) });
    return { socket, transport };
  };
}

/** Creates a function that picks a server, connects to it and records the result. */
export function createDial(
  servers: Servers,
  dialServer: DialServer,
  identities: Pick<IdentityStore, "current">,
): Dial {
  const connect = async (
    server: ServerAddress,
    signal: AbortSignal,
    identity: Identity,
  ): Promise<Transport> => {
    try {
      const { socket, transport } = await dialServer(server, signal, identity);
      servers.connected(server);
      socket.once("close", () => servers.disconnected(server));
      return transport;
    } catch (error) {
      if (!signal.aborted) servers.failed(server);
      throw error;
    }
  };
  return async (signal) => {
    const server = servers.pick();
    if (server === undefined) throw new SallyportError("tunnel_down", "Cannot connect: no server is known");
    // Further connections of a session need the certificate with which it began (SPEC.md 1.4).
    const identity = identities.current;
    const transport = await connect(server, signal, identity);
    return { transport, redial: (laterSignal) => connect(server, laterSignal, identity) };
  };
}

/** Creates a function that asks a server, over a separate connection, how many agents are connected. */
export function createAgentCounter(
  dialServer: DialServer,
  options: Partial<SessionOptions>,
): (server: ServerAddress, signal: AbortSignal) => Promise<number> {
  return async (server, signal) => {
    const { transport } = await dialServer(server, signal);
    return (await queryStatus(transport, { clock: systemClock, options, signal })).agents;
  };
}
