import { systemClock } from "../shared/system_clock.ts";
import { getLogger } from "../shared/log.ts";
import { MemoryBudget } from "../shared/mux/memory_budget.ts";
import type { MuxStream } from "../shared/mux/stream.ts";
import { fromOsError } from "../shared/net/os_error.ts";
import { SocketTransport } from "../shared/net/socket_transport.ts";
import { loadIdentity } from "../shared/tls/identity.ts";
import { listenTls } from "../shared/tls/listen.ts";
import type { Peer } from "../shared/tls/peer.ts";
import { VERSION } from "../shared/version.ts";
import { createAudit } from "./audit.ts";
import type { ServerConfig } from "./config.ts";
import { forward } from "./forward/forward.ts";
import { createOriginPool } from "./forward/origin_pool.ts";
import { openHealthPort } from "./health.ts";
import { LineWriter } from "./line_writer.ts";
import { createDialer } from "./targets/dial.ts";
import { createTargetPolicy } from "./targets/policy.ts";
import { createResolver } from "./targets/resolve.ts";
import { Reception } from "./tunnel/reception.ts";

/** Milliseconds for an agent's TLS handshake. */
const HANDSHAKE_TIMEOUT = 10_000;
/** Bytes that all streams may take beyond their first window: a part of the 512 MB that Fargate gives. */
const STREAM_MEMORY = 100_663_296;

/** A server that runs. */
export interface Server {
  /** Where agents reach it. */
  address: { host: string; port: number };
  /** Settles when nothing of the server is left. */
  closed: Promise<void>;
  /** Takes nothing new, lets open streams end within `drain_timeout`, and closes. */
  drain(reason: string): Promise<void>;
}

/**
 * Starts the server.
 * @throws SallyportError when the certificates or targets cannot be used, or a port cannot be had.
 */
export async function startServer(config: ServerConfig): Promise<Server> {
  const log = getLogger("server");
  const identity = await loadIdentity(config.identity, "serverAuth");
  const dial = createDialer({ policy: createTargetPolicy(config.targets), resolve: createResolver() });
  const origins = createOriginPool({ dial });
  // Audit lines go to standard output, logs to standard error: they have different readers.
  const auditLines = new LineWriter(
    systemClock,
    (bytes) => Deno.stdout.writeSync(bytes),
    (error) =>
      log.error("audit lines are lost", { reason: fromOsError(error, "write an audit line").message }),
  );
  const reception = new Reception({
    log: getLogger("tunnel"),
    budget: new MemoryBudget(STREAM_MEMORY),
    session: { software: `sallyport/${VERSION}`, maxStreams: config.maxStreams },
    stream: createForwarder(config, { dial, origins }, auditLines),
  });
  let state: "ready" | "draining" = "ready";
  const startedAt = systemClock.now();
  const health = openHealthPort(config.listenAddr, config.healthPort, () => ({
    state,
    connections: reception.connectionCount,
    agents: reception.agentCount,
    streams: reception.streamCount,
    uptime: Math.round((systemClock.now() - startedAt) / 1000),
  }));
  const listener = await listenTls({
    host: config.listenAddr,
    port: config.listenPort,
    identity,
    handshakeTimeoutMs: HANDSHAKE_TIMEOUT,
    maxConnections: config.maxConnections,
    onConnection: (socket, peer) => reception.welcome(new SocketTransport(socket), peer),
    onRefused: (error, remote) =>
      log.warn("agent refused", { remote, code: error.code, reason: error.message }),
  }).catch(async (error) => {
    await health.close();
    throw error;
  });
  log.info("server listening", listener.address);
  log.info("health listening", health.address);

  const closed = Promise.withResolvers<void>();
  return {
    address: listener.address,
    closed: closed.promise,
    async drain(reason) {
      log.info("stopping", { reason });
      state = "draining";
      const portFreed = listener.close();
      await reception.drain(config.drainTimeout);
      origins.destroy();
      auditLines.flush();
      await Promise.all([portFreed, health.close()]);
      log.info("stopped");
      closed.resolve();
    },
  };
}

type Forwarding = Pick<Parameters<typeof forward>[1], "dial" | "origins">;

/** Serves each stream and writes its audit line. */
function createForwarder(
  config: ServerConfig,
  forwarding: Forwarding,
  auditLines: LineWriter,
): (stream: MuxStream, peer: Peer) => void {
  const audit = createAudit({ write: (line) => auditLines.add(line), clock: systemClock });
  return (stream, peer) =>
    forward(stream, {
      ...forwarding,
      idleTimeoutMs: config.idleTimeout,
      clock: systemClock,
      onDone: (outcome) => audit(peer, outcome),
    });
}
