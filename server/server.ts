import { collectGarbage } from "../shared/collect_garbage.ts";
import type { JsonPort } from "../shared/http/json_port.ts";
import { systemClock } from "../shared/system_clock.ts";
import { getLogger } from "../shared/log.ts";
import { MemoryBudget } from "../shared/mux/memory_budget.ts";
import type { MuxStream } from "../shared/mux/stream.ts";
import { fromOsError } from "../shared/net/os_error.ts";
import { SocketTransport } from "../shared/net/socket_transport.ts";
import type { Identity } from "../shared/tls/identity.ts";
import { IdentityStore } from "../shared/tls/identity_store.ts";
import { listenAll, type TlsListeners } from "../shared/tls/listen_all.ts";
import type { Peer } from "../shared/tls/peer.ts";
import { VERSION } from "../shared/version.ts";
import { createAudit } from "./audit.ts";
import { type KeptList, openKeptList, startReports } from "./cloud_side.ts";
import type { ServerConfig } from "./config.ts";
import { Destinations } from "./destinations.ts";
import { forward } from "../shared/forward/forward.ts";
import { openHealthPort } from "./health.ts";
import { Lasting } from "./lasting.ts";
import { LineWriter } from "./line_writer.ts";
import type { Reports } from "./aws/reports.ts";
import { Counters } from "./metrics/counters.ts";
import { Period } from "./metrics/period.ts";
import { OwnPorts } from "../shared/targets/own_ports.ts";
import type { Lookup } from "../shared/targets/resolve.ts";
import { isForSpeed, Speed } from "./speed.ts";
import { Reception } from "./tunnel/reception.ts";
import { RefusalLog } from "./tunnel/refusal_log.ts";
import { Standing } from "./tunnel/standing.ts";

/** Milliseconds for an agent's TLS handshake. */
const HANDSHAKE_TIMEOUT = 10_000;
/** Bytes that all streams may take beyond their first window: with all of it taken the process stays below 256 MB. */
const STREAM_MEMORY = 25_165_824;

/** A server that runs. */
export interface Server {
  /** Where agents reach it, in the order of the configured ports. */
  addresses: readonly { host: string; port: number }[];
  /** Settles when nothing of the server is left. */
  closed: Promise<void>;
  /** Takes nothing new, lets open streams end within `drain_timeout`, and closes. */
  drain(reason: string): Promise<void>;
  /** Reads certificates, CA and revocation list again, and judges open connections by them. */
  reload(reason: string): Promise<void>;
}

/** What a server uses of the world around it, beside its ports. */
export interface ServerSurroundings {
  /** Who knows names. @default the system */
  lookup?: Lookup;
  /** Takes audit lines, and throws when it cannot. @default standard output */
  writeAudit?: (bytes: Uint8Array) => number;
}

/**
 * Starts the server.
 * @throws SallyportError when the certificates, clients or targets cannot be used, or a port cannot be had.
 */
export async function startServer(
  config: ServerConfig,
  { lookup, writeAudit = (bytes) => Deno.stdout.writeSync(bytes) }: ServerSurroundings = {},
): Promise<Server> {
  const log = getLogger("server");
  const counters = new Counters();
  await using undo = new AsyncDisposableStack();
  const keptList: KeptList | undefined = config.crlParameter === undefined
    ? undefined
    : await openKeptList(config.crlParameter, () => void identities.reload("the parameter changed"));
  undo.defer(() => keptList?.close());
  const identities: IdentityStore = await IdentityStore.open({
    source: keptList === undefined ? config.identity : { ...config.identity, crl: keptList.source },
    usage: "serverAuth",
    clock: systemClock,
    log: getLogger("tls"),
    onReload: (outcome) => counters.reloads.add([outcome]),
  });
  undo.defer(() => identities.close());
  const ownPorts = new OwnPorts();
  const { targets, clients, maxStreams } = config;
  const destinations = new Destinations({ targets, clients: clients.allow, ownPorts, maxStreams, lookup });
  // Audit lines go to standard output, logs to standard error: they have different readers.
  const auditLines = new LineWriter(
    systemClock,
    writeAudit,
    (error) =>
      log.error("audit lines are lost", { reason: fromOsError(error, "write an audit line").message }),
  );
  const openStreams = new Lasting(systemClock, config.auditOpenAfter);
  undo.defer(() => openStreams.stop());
  const period = new Period(() => ({
    streams: reception.streamCount,
    agents: reception.agentCount,
    onlyClient: reception.onlyClient,
  }));
  let reports: Reports | undefined;
  const reception: Reception = new Reception({
    log: getLogger("tunnel"),
    budget: new MemoryBudget(STREAM_MEMORY, undefined, collectGarbage),
    session: { software: `sallyport/${VERSION}`, maxStreams },
    maxConnections: config.maxConnections,
    refusalOf: (peer) => destinations.refusalOf(peer),
    onRefused: (code) => counters.refused.add([code]),
    onAgentsChanged: () => reports?.changed(),
    stream: createForwarder(config, destinations, auditLines, openStreams, [counters, period], () => {
      period.streamBegun();
      reports?.active();
    }),
  });
  if (config.metrics !== undefined) reports = await startReports(config.metrics, period);
  undo.defer(() => reports?.stop());
  const refusals = new RefusalLog({ log, clock: systemClock });
  const listener: TlsListeners = await listenAll(config.listenPorts, {
    host: config.listenAddr,
    identity: identities.current,
    handshakeTimeoutMs: HANDSHAKE_TIMEOUT,
    onConnection: (socket, peer) => reception.welcome(new SocketTransport(socket), peer),
    onRefused(error, remote) {
      counters.refused.add([error.code]);
      refusals.add(error, remote);
    },
  });
  undo.defer(() => listener.close());
  let state: "ready" | "draining" = "ready";
  const startedAt = systemClock.now();
  const health: JsonPort = await openHealthPort({
    host: config.healthAddr,
    port: config.healthPort,
    counters,
    limits: () => ({
      ...reception.figures(),
      ...destinations.figures(),
      handshakes: listener.handshakes(),
      health_connections: health.figures(),
    }),
    onTrouble: ({ message }) => log.warn("health port lost", { reason: message }),
    health: () => ({
      state,
      connections: reception.connectionCount,
      agents: reception.agentCount,
      streams: reception.streamCount,
      uptime: Math.round((systemClock.now() - startedAt) / 1000),
      ...identities.report(),
    }),
  });
  undo.defer(() => health.close());
  undo.move();
  const standing = new Standing({ clock: systemClock, identities, listener, reception });
  standing.start();
  for (const { port } of listener.addresses) ownPorts.add(port);
  ownPorts.add(health.address.port);
  for (const address of listener.addresses) log.info("server listening", address);
  log.info("health listening", health.address);
  identities.onChange(tellLists);
  tellLists(identities.current);
  if (identities.current.revocation === undefined) {
    log.warn("no revocation list: revoked client certificates are accepted; set crl_file or crl_parameter");
  }

  const closed = Promise.withResolvers<void>();
  return {
    addresses: listener.addresses,
    closed: closed.promise,
    async drain(reason) {
      log.info("stopping", { reason });
      state = "draining";
      const portFreed = listener.close();
      await reception.drain(config.drainTimeout);
      standing.stop();
      destinations.destroy();
      openStreams.stop();
      auditLines.flush();
      await Promise.all([portFreed, health.close(), identities.close(), keptList?.close(), reports?.stop()]);
      refusals.flush();
      log.info("stopped");
      closed.resolve();
    },
    reload: (reason) => identities.reload(reason),
  };
}

/** Serves each stream and writes its audit lines. */
function createForwarder(
  config: ServerConfig,
  destinations: Destinations,
  auditLines: LineWriter,
  openStreams: Lasting,
  counts: readonly Pick<Counters, "streamDone">[],
  onBegin: () => void,
): (stream: MuxStream, peer: Peer, from: readonly string[]) => void {
  const watch = (callback: () => void) => openStreams.add(callback);
  const audit = createAudit({ write: (line) => auditLines.add(line), clock: systemClock });
  const speed = new Speed();
  return (stream, peer, from) => {
    const lines = audit({ commonName: peer.commonName, serial: peer.serial, from });
    const lasting = { watch, onOpen: lines.open };
    // It is nobody's traffic: a server that is only measured may sleep.
    if (isForSpeed(stream.opening)) {
      return speed.serve(stream, peer.fingerprint, {
        clock: systemClock,
        lasting,
        onDone: lines.end,
      });
    }
    onBegin();
    const { dial, origins, done } = destinations.begin(
      peer,
      ({ code, message }) => stream.reset(code, message),
    );
    forward(stream, {
      dial,
      origins,
      idleTimeoutMs: config.idleTimeout,
      clock: systemClock,
      lasting,
      onDone(outcome) {
        done();
        lines.end(outcome);
        for (const count of counts) count.streamDone(outcome);
      },
    });
  };
}

/** Says which revocation list is in force for each CA. */
function tellLists({ revocation }: Identity): void {
  for (const { issuer, entries, nextUpdate } of revocation?.byAuthority ?? []) {
    const fields = { issuer, entries, next_update: nextUpdate.toISOString() };
    getLogger("tls").info("revocation list in force", fields);
  }
}
