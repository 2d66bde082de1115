import { SallyportError } from "../shared/errors.ts";
import { collectGarbage } from "../shared/collect_garbage.ts";
import { systemClock } from "../shared/system_clock.ts";
import { getLogger } from "../shared/log.ts";
import { MemoryBudget } from "../shared/mux/memory_budget.ts";
import { isLoopback } from "../shared/net/loopback.ts";
import { SocketTransport } from "../shared/net/socket_transport.ts";
import { type DialledConnection, dialTls } from "../shared/tls/dial.ts";
import { OpenServers } from "./open_servers.ts";
import { IdentityStore } from "../shared/tls/identity_store.ts";
import type { TrustReport } from "../shared/tls/trust_report.ts";
import type { Lookup } from "../shared/targets/resolve.ts";
import { VERSION } from "../shared/version.ts";
import { askStatus } from "./tunnel/ask_status.ts";
import { type ServerAddress, Servers } from "./cloud/servers.ts";
import { type CloudSide, openCloudSide } from "./cloud_side.ts";
import type { AgentConfig } from "./config.ts";
import { type AgentStatus, openConsole } from "./console/console.ts";
import { type DirectSide, openDirectSide } from "./direct_side.ts";
import { type FrontDoor, openFrontDoor } from "./front_door/front_door.ts";
import { Tunnel } from "./tunnel/tunnel.ts";
import { isOwnAddress, proxyFor } from "./upstream/upstream.ts";
import type { Dial } from "./tunnel/tunnel_init.ts";

/** Milliseconds for TCP and TLS to the server. */
const CONNECT_TIMEOUT = 10_000;
/** Milliseconds between two looks at the certificate files. */
const POLL_INTERVAL = 2_000;
/** Milliseconds that open streams get when the agent stops. */
const DRAIN_TIMEOUT = 10_000;

/** Milliseconds: the server's `idle_timeout` decides; this only clears up where the server forgot a stream. */
const IDLE_TIMEOUT = 86_400_000;

/** Bytes that all streams may take beyond their first window. */
const STREAM_MEMORY = 25_165_824;

/** An agent that runs. */
export interface Agent {
  /** Where clients reach the proxy. */
  proxyAddress: { host: string; port: number };
  /** Where its console answers. */
  consoleAddress: { host: string; port: number };
  /** Settles when nothing of the agent is left. */
  closed: Promise<void>;
  /** Takes nothing new, lets open streams end within 10 s, and closes. */
  drain(reason: string): Promise<void>;
  /** Reads certificate, key, CA and revocation list again, and judges open connections to servers by them. */
  reload(reason: string): Promise<void>;
}

/** What an agent uses of the world around it, beside its ports. */
export interface AgentSurroundings {
  /** Who knows the names of targets that `bypass` sends directly. @default the system */
  readonly lookup?: Lookup;
}

/**
 * Starts the agent: the ports first, so that clients can come, then the tunnel.
 * @throws SallyportError when the certificates cannot be used or a port cannot be had.
 */
export async function startAgent(
  config: AgentConfig,
  { lookup }: AgentSurroundings = {},
): Promise<Agent> {
  const log = getLogger("agent");
  const identities = await IdentityStore.open({
    source: config.identity,
    usage: "clientAuth",
    clock: systemClock,
    log: getLogger("tls"),
    pollMs: POLL_INTERVAL,
  });
  await using undo = new AsyncDisposableStack();
  undo.defer(() => identities.close());
  const servers = new Servers();
  if (config.cloud === undefined) servers.replace([{ host: config.serverIp, port: config.serverPort }]);
  const via = (host: string, port: number) => proxyFor(config.upstream, host, port);
  const cloud = config.cloud && openCloudSide(config.cloud, identities, servers, via);
  const openServers = new OpenServers({
    serverName: config.serverName,
    identities,
    clock: systemClock,
    log: getLogger("tunnel"),
  });
  undo.defer(() => openServers.stop());
  const dial = createDial(config, identities, openServers);
  const session = { software: `sallyport/${VERSION}`, id: crypto.randomUUID() };
  const budget = new MemoryBudget(STREAM_MEMORY, undefined, collectGarbage);
  const tunnel = new Tunnel({
    budget,
    dial: dialling(servers, dial),
    locate: cloud?.locate,
    log: getLogger("tunnel"),
    session,
    options: config.cloud === undefined ? {} : { waitTimeout: config.cloud.wakeTimeout },
  });
  const toServer: DirectSide["openStream"] = (opening, first) => tunnel.openStream(opening, first);
  const direct = openDirectSide(config, { tunnel: toServer, budget, lookup });
  undo.defer(() => direct.drain(0));
  const frontDoor = await openFrontDoor({
    host: config.localProxyHost,
    port: config.localProxyPort,
    openStream: direct.openStream,
    // What happened here has nothing to do with the next attempt to connect.
    retryAfterMs: ({ at }) => at === "here" ? undefined : tunnel.retryInMs,
    idleTimeoutMs: IDLE_TIMEOUT,
    credentials: config.localProxyAuth,
    clock: systemClock,
    log: getLogger("front_door"),
  });
  undo.defer(() => frontDoor.close());
  const proxyAddress = { host: frontDoor.address.address, port: frontDoor.address.port };
  const console = await openConsole({
    port: config.consolePort,
    status: () => ({ ...statusOf(tunnel, direct, frontDoor, cloud), ...identities.report() }),
    proxyScript: direct.proxyScript(proxyAddress),
    onTrouble: ({ message }) => log.warn("console port lost", { reason: message }),
  });
  for (const { port } of [proxyAddress, console.address]) direct.ownPort(port);
  // Where the port was not chosen before, this could not be seen before.
  if (config.upstream !== undefined && isOwnAddress(config.upstream, proxyAddress)) {
    undo.defer(() => console.close());
    throw new SallyportError(
      "bad_request",
      `Cannot use ${config.upstream.source}: it names this agent itself`,
    );
  }
  undo.move();
  log.info("proxy listening", proxyAddress);
  if (config.upstream !== undefined) {
    const { source, proxy: { url } } = config.upstream;
    log.info("going through a proxy", { proxy: url.host, source });
  }
  log.info("console listening", console.address);
  if (config.localProxyAuth === undefined && !isLoopback(proxyAddress.host)) {
    log.warn(
      "PROXY OPEN TO OTHER MACHINES: whoever reaches this address can use the tunnel, because " +
        "local_proxy_host is not loopback and local_proxy_auth is not set",
      proxyAddress,
    );
  }
  if (identities.current.revocation === undefined) {
    log.info("no crl_file: a server whose certificate was revoked is still accepted");
  }
  tunnel.start();

  const closed = Promise.withResolvers<void>();
  return {
    proxyAddress,
    consoleAddress: console.address,
    closed: closed.promise,
    async drain(reason) {
      log.info("stopping", { reason });
      // The front door first: its clients' streams end well only while the tunnel still carries them.
      await frontDoor.drain(DRAIN_TIMEOUT);
      await Promise.all([tunnel.drain(DRAIN_TIMEOUT), direct.drain(DRAIN_TIMEOUT)]);
      await cloud?.leave(async (server, signal) => {
        const transport = new SocketTransport(await dial(server, signal));
        return (await askStatus(transport, { clock: systemClock, options: session, signal })).agents;
      });
      openServers.stop();
      await Promise.all([console.close(), identities.close()]);
      log.info("stopped");
      closed.resolve();
    },
    reload: (reason) => identities.reload(reason),
  };
}

/** Makes a connection to a server whose certificate is what it has to be. */
type DialServer = (server: ServerAddress, signal: AbortSignal) => Promise<DialledConnection["socket"]>;

function createDial(config: AgentConfig, identities: IdentityStore, open: OpenServers): DialServer {
  return async ({ host, port }, signal) => {
    const { serverName, sni } = config;
    const connectTimeoutMs = CONNECT_TIMEOUT;
    const { socket, peer } = await dialTls({
      host,
      port,
      serverName,
      sni,
      identity: identities.current,
      connectTimeoutMs,
      via: proxyFor(config.upstream, host, port),
      signal,
    });
    open.add(socket, peer);
    return socket;
  };
}

/** Dials the server that is due, and keeps account of how that goes. */
function dialling(servers: Servers, dial: DialServer): Dial {
  return async (signal) => {
    const server = servers.pick();
    if (server === undefined) throw new SallyportError("tunnel_down", "Cannot connect: no server is known");
    try {
      const socket = await dial(server, signal);
      servers.connected(server);
      socket.once("close", () => servers.disconnected(server));
      return new SocketTransport(socket);
    } catch (error) {
      if (!signal.aborted) servers.failed(server);
      throw error;
    }
  };
}

function statusOf(
  tunnel: Tunnel,
  direct: DirectSide,
  frontDoor: FrontDoor,
  cloud: CloudSide | undefined,
): Omit<AgentStatus, keyof TrustReport> {
  const { state } = tunnel;
  const whereabouts = cloud?.whereabouts();
  const isWaking = state.name === "locating" && whereabouts?.name === "waking";
  return {
    state: isWaking ? "waking" : state.name,
    connections: tunnel.connectionCount,
    streams: tunnel.streamCount,
    directStreams: direct.streamCount,
    clients: frontDoor.connectionCount,
    proxy: { host: frontDoor.address.address, port: frontDoor.address.port },
    ...(isWaking
      ? { fleet: whereabouts.fleet, wakingForMs: Math.round(systemClock.now() - whereabouts.since) }
      : {}),
    ...(state.name === "asleep" && state.error !== undefined ? { error: state.error.message } : {}),
    ...(state.name === "failed"
      ? { error: state.error.message, retryInMs: Math.round(tunnel.retryInMs ?? 0) }
      : {}),
  };
}
