import { systemClock } from "../shared/system_clock.ts";
import { getLogger } from "../shared/log.ts";
import { SocketTransport } from "../shared/net/socket_transport.ts";
import { dialTls } from "../shared/tls/dial.ts";
import { IdentityStore } from "../shared/tls/identity_store.ts";
import type { TrustReport } from "../shared/tls/trust_report.ts";
import { VERSION } from "../shared/version.ts";
import type { AgentConfig } from "./config.ts";
import { type AgentStatus, openConsole } from "./console/console.ts";
import { type FrontDoor, openFrontDoor } from "./front_door/front_door.ts";
import { type Dial, Tunnel } from "./tunnel/tunnel.ts";

/** Milliseconds for TCP and TLS to the server. */
const CONNECT_TIMEOUT = 10_000;
/** Milliseconds between two looks at the certificate files. */
const POLL_INTERVAL = 2_000;
/** Milliseconds that open streams get when the agent stops. */
const DRAIN_TIMEOUT = 10_000;

/** Milliseconds: the server's `idle_timeout` decides; this only clears up where the server forgot a stream. */
const IDLE_TIMEOUT = 86_400_000;

/** An agent that runs. */
export interface Agent {
  /** Where clients reach the proxy. */
  proxyAddress: { host: string; port: number };
  /** Settles when nothing of the agent is left. */
  closed: Promise<void>;
  /** Takes nothing new, lets open streams end within 10 s, and closes. */
  drain(reason: string): Promise<void>;
  /** Reads certificate, key and CA again; the next connection uses them, open ones stay. */
  reload(reason: string): Promise<void>;
}

/**
 * Starts the agent: the ports first, so that clients can come, then the tunnel.
 * @throws SallyportError when the certificates cannot be used or a port cannot be had.
 */
export async function startAgent(config: AgentConfig): Promise<Agent> {
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
  const tunnel = new Tunnel({
    dial: createDial(config, identities),
    log: getLogger("tunnel"),
    session: { software: `sallyport/${VERSION}`, id: crypto.randomUUID() },
  });
  const frontDoor = await openFrontDoor({
    host: config.localProxyHost,
    port: config.localProxyPort,
    openStream: (opening, first) => tunnel.openStream(opening, first),
    retryAfterMs: () => tunnel.retryInMs,
    idleTimeoutMs: IDLE_TIMEOUT,
    clock: systemClock,
    log: getLogger("front_door"),
  });
  undo.defer(() => frontDoor.close());
  const console = openConsole(config.consolePort, () => ({
    ...statusOf(tunnel, frontDoor),
    ...identities.report(),
  }), ({ message }) => log.warn("console port lost", { reason: message }));
  undo.move();
  const proxyAddress = { host: frontDoor.address.address, port: frontDoor.address.port };
  log.info("proxy listening", proxyAddress);
  log.info("console listening", console.address);
  tunnel.start();

  const closed = Promise.withResolvers<void>();
  return {
    proxyAddress,
    closed: closed.promise,
    async drain(reason) {
      log.info("stopping", { reason });
      // The front door first: its clients' streams end well only while the tunnel still carries them.
      await frontDoor.drain(DRAIN_TIMEOUT);
      await tunnel.drain(DRAIN_TIMEOUT);
      await Promise.all([console.close(), identities.close()]);
      log.info("stopped");
      closed.resolve();
    },
    reload: (reason) => identities.reload(reason),
  };
}

function createDial(config: AgentConfig, identities: IdentityStore): Dial {
  return async (signal) => {
    const { socket } = await dialTls({
      host: config.serverIp,
      port: config.serverPort,
      serverName: config.serverName,
      sni: config.sni,
      identity: identities.current,
      connectTimeoutMs: CONNECT_TIMEOUT,
      signal,
    });
    return new SocketTransport(socket);
  };
}

function statusOf(tunnel: Tunnel, frontDoor: FrontDoor): Omit<AgentStatus, keyof TrustReport> {
  const { state } = tunnel;
  return {
    state: state.name,
    connections: tunnel.connectionCount,
    streams: tunnel.streamCount,
    clients: frontDoor.connectionCount,
    ...(state.name === "failed"
      ? { error: state.error.message, retryInMs: Math.round(tunnel.retryInMs ?? 0) }
      : {}),
  };
}
