import { collectGarbage } from "../shared/collect_garbage.ts";
import type { Lookup } from "../shared/egress/dial/resolve.ts";
import { OwnPorts } from "../shared/egress/rules/own_ports.ts";
import type { JsonPort } from "../shared/http/json_port.ts";
import { getLogger } from "../shared/log.ts";
import { MemoryBudget } from "../shared/mux/flow/memory_budget.ts";
import { withListenAdvice } from "../shared/config/listen_advice.ts";
import { SocketTransport } from "../shared/net/socket_transport.ts";
import type { Identity } from "../shared/pki/identity/identity.ts";
import { IdentityStore } from "../shared/pki/identity/identity_store.ts";
import { systemClock } from "../shared/system_clock.ts";
import { configuredTrace } from "../shared/trace/session_trace.ts";
import { listenAll, type TlsListeners } from "../shared/tls/listen.ts";
import { VERSION } from "../shared/version.ts";
import type { Reports } from "./aws/reports.ts";
import { ClientTargets } from "./clients/client_targets.ts";
import type { ServerConfig } from "./config/config.ts";
import { openHealthPort } from "./health/health.ts";
import { Counters } from "./metrics/counters.ts";
import { Period } from "./metrics/period.ts";
import { type CrlParameter, openCrlParameter, startReports } from "./start_aws.ts";
import { StreamHandler } from "./stream_handler.ts";
import { PeerRevalidation } from "./tunnel/peer_revalidation.ts";
import { RefusalLog } from "./tunnel/refusal_log.ts";
import { SessionRegistry } from "./tunnel/session_registry.ts";

/** Milliseconds for an agent's TLS handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Bytes that all streams may use beyond their first window; with all of them the process stays below 256 MB. */
const STREAM_MEMORY = 25_165_824;

const LISTEN_KEYS = { host: "listen_addr", port: "listen_port" } as const;
const HEALTH_KEYS = { host: "health_addr", port: "health_port" } as const;

/** A running server. */
export interface Server {
  /** Where agents reach it, in the order of the configured ports. */
  addresses: readonly { host: string; port: number }[];
  /** Settles when the server has shut down completely. */
  closed: Promise<void>;
  /** Accepts nothing new, lets open streams finish within `drain_timeout`, and shuts down. */
  drain(reason: string): Promise<void>;
  /** Reads certificates, CA and revocation list again, and checks open connections against them. */
  reload(reason: string): Promise<void>;
}

/** What a server uses of its environment besides its ports. */
export interface ServerRuntime {
  /** Resolves names. @default the system */
  lookup?: Lookup;
  /** Writes audit lines, and throws when it cannot. @default standard output */
  writeAudit?: (bytes: Uint8Array) => number;
}

/**
 * Starts the server.
 * @throws SallyportError when the certificates, clients or targets are unusable, or a port is not available.
 */
export async function startServer(config: ServerConfig, runtime: ServerRuntime = {}): Promise<Server> {
  await using undo = new AsyncDisposableStack();
  const counters = new Counters();
  const ownPorts = new OwnPorts();

  const crlParameter = await openCrlParameter(config.crlParameter);
  undo.defer(() => crlParameter?.close());
  const identities = await openIdentities(config, crlParameter, counters);
  undo.defer(() => identities.close());

  const targets = createTargets(config, ownPorts, runtime.lookup);
  const refusals = new RefusalLog({ log: getLogger("server"), clock: systemClock });
  const sessions = createSessions(config, targets, refusals, counters);
  const period = createPeriod(sessions);
  const reports = await startReports(config.metrics, period);
  undo.defer(() => reports?.stop());
  const streams = createStreamHandler(config, runtime, { targets, counters, period, reports });
  undo.defer(() => streams.stop());
  sessions.listen({
    stream: (stream, peer, session) => streams.handle(stream, peer, session),
    agentsChanged: () => reports?.changed(),
  });

  const listeners = await listenForAgents(config, identities.current, { sessions, counters, refusals });
  undo.defer(() => listeners.close());
  const health = await openHealth(config, { sessions, targets, listeners, identities, counters });
  undo.defer(() => health.close());
  undo.move();

  const revalidation = new PeerRevalidation({
    clock: systemClock,
    identities,
    listener: listeners,
    sessions,
  });
  revalidation.start();
  for (const { port } of [...listeners.addresses, health.address]) ownPorts.add(port);
  logStart(listeners, health, identities);
  const parts = { crlParameter, identities, targets, refusals, sessions, reports, streams };
  return new RunningServer(config, { ...parts, listeners, health, revalidation });
}

async function openIdentities(
  config: ServerConfig,
  crlParameter: CrlParameter | undefined,
  counters: Counters,
): Promise<IdentityStore> {
  return await IdentityStore.open({
    source: crlParameter === undefined ? config.identity : { ...config.identity, crl: crlParameter.source },
    usage: "serverAuth",
    clock: systemClock,
    log: getLogger("tls"),
    onReload: (outcome) => counters.reloads.add([outcome]),
  });
}

function createTargets(config: ServerConfig, ownPorts: OwnPorts, lookup: Lookup | undefined): ClientTargets {
  const { targets, clients, maxStreams } = config;
  return new ClientTargets({ targets, clients: clients.allow, ownPorts, maxStreams, lookup });
}

function createSessions(
  config: ServerConfig,
  targets: ClientTargets,
  refusals: RefusalLog,
  counters: Counters,
): SessionRegistry {
  const { maxConnections, maxStreams, resumeTimeout } = config;
  return new SessionRegistry({
    log: getLogger("tunnel"),
    trace: configuredTrace(config),
    refusals,
    budget: new MemoryBudget(STREAM_MEMORY, undefined, { collect: collectGarbage, clock: systemClock }),
    session: { software: `sallyport/${VERSION}`, maxStreams, resumeTimeout },
    maxConnections,
    refusalOf: (peer) => targets.refusalOf(peer),
    onRefused: (code) => counters.refused.add([code]),
  });
}

function createPeriod(sessions: SessionRegistry): Period {
  return new Period(() => {
    const { streamCount: streams, agentCount: agents, onlyClient } = sessions;
    return { streams, agents, onlyClient };
  });
}

function createStreamHandler(
  { idleTimeout, auditOpenAfter }: ServerConfig,
  { writeAudit = (bytes) => Deno.stdout.writeSync(bytes) }: ServerRuntime,
  { targets, counters, period, reports }: {
    targets: ClientTargets;
    counters: Counters;
    period: Period;
    reports: Reports | undefined;
  },
): StreamHandler {
  return new StreamHandler({
    targets,
    clock: systemClock,
    log: getLogger("server"),
    idleTimeout,
    auditOpenAfter,
    writeAudit,
    onBegin() {
      period.streamBegun();
      reports?.active();
    },
    onDone(result) {
      counters.streamDone(result);
      period.streamDone(result);
    },
  });
}

function listenForAgents(
  config: ServerConfig,
  identity: Identity,
  { sessions, counters, refusals }: { sessions: SessionRegistry; counters: Counters; refusals: RefusalLog },
): Promise<TlsListeners> {
  const listening = listenAll(config.listenPorts, {
    host: config.listenAddr,
    identity,
    handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
    onConnection: (socket, peer) => sessions.accept(new SocketTransport(socket), peer),
    onReopened: (downMs) =>
      getLogger("server").info("server port open again", { down_for_ms: Math.round(downMs) }),
    onRefused(error, remote) {
      counters.refused.add([error.code]);
      refusals.add(error, remote);
    },
  });
  return withListenAdvice(LISTEN_KEYS, listening);
}

function openHealth(
  { healthAddr: host, healthPort: port }: ServerConfig,
  { sessions, targets, listeners, identities, counters }: {
    sessions: SessionRegistry;
    targets: ClientTargets;
    listeners: TlsListeners;
    identities: IdentityStore;
    counters: Counters;
  },
): Promise<JsonPort> {
  const startedAt = systemClock.now();
  const opening = openHealthPort({
    host,
    port,
    counters,
    limits: () => ({
      ...sessions.figures(),
      ...targets.figures(),
      handshakes: listeners.handshakes(),
    }),
    onError: ({ message }) => getLogger("server").warn("health port lost", { error: message }),
    onReopened: (downMs) =>
      getLogger("server").info("health port open again", { down_for_ms: Math.round(downMs) }),
    totals: () => sessions.totals,
    health: () => ({
      state: sessions.isDraining ? "draining" : "ready",
      connections: sessions.connectionCount,
      agents: sessions.agentCount,
      uptime_s: Math.round((systemClock.now() - startedAt) / 1000),
      ...identities.report(),
    }),
  });
  return withListenAdvice(HEALTH_KEYS, opening);
}

function logStart(listeners: TlsListeners, health: JsonPort, identities: IdentityStore): void {
  const log = getLogger("server");
  for (const address of listeners.addresses) log.info("server listening", address);
  log.info("health listening", health.address);
  identities.onChange(logLists);
  logLists(identities.current);
  if (identities.current.revocation === undefined) {
    log.warn("no revocation list: certificates cannot be revoked; set crl_file or crl_parameter");
  }
}

/** Logs the revocation list in force for each CA. */
function logLists({ revocation }: Identity): void {
  for (const { issuer, entries, nextUpdate } of revocation?.byAuthority ?? []) {
    const fields = { issuer, entries, next_update: nextUpdate.toISOString() };
    getLogger("tls").info("revocation list in force", fields);
  }
}

/** Everything that a running server has to stop. */
interface ServerParts {
  readonly crlParameter: CrlParameter | undefined;
  readonly identities: IdentityStore;
  readonly targets: ClientTargets;
  readonly refusals: RefusalLog;
  readonly sessions: SessionRegistry;
  readonly reports: Reports | undefined;
  readonly streams: StreamHandler;
  readonly listeners: TlsListeners;
  readonly health: JsonPort;
  readonly revalidation: PeerRevalidation;
}

class RunningServer implements Server {
  readonly addresses: TlsListeners["addresses"];
  readonly #drainTimeout: number;
  readonly #parts: ServerParts;
  readonly #closed = Promise.withResolvers<void>();

  constructor({ drainTimeout }: ServerConfig, parts: ServerParts) {
    this.addresses = parts.listeners.addresses;
    this.#drainTimeout = drainTimeout;
    this.#parts = parts;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async drain(reason: string): Promise<void> {
    const { crlParameter, identities, targets, refusals, sessions, reports, streams } = this.#parts;
    const { listeners, health, revalidation } = this.#parts;
    const log = getLogger("server");
    log.info("stopping", { reason });
    const portFreed = listeners.close();
    await sessions.drain(this.#drainTimeout);
    revalidation.stop();
    targets.destroy();
    streams.stop();
    const others = [health.close(), identities.close(), crlParameter?.close(), reports?.stop()];
    await Promise.all([portFreed, ...others]);
    // Streams that were reset write their lines when their sockets are closed.
    streams.flush();
    refusals.flush();
    log.info("stopped");
    this.#closed.resolve();
  }

  reload(reason: string): Promise<void> {
    return this.#parts.identities.reload(reason);
  }
}
